// SPDX-License-Identifier: Apache-2.0
// FastCGI, as between a web server and PHP-FPM.
//
//   record  : version 1 | type u8 | request id u16 | content u16 | padding u8 | 0
//             | content | padding
//   request : BEGIN_REQUEST, PARAMS … up to an empty one, STDIN … up to an empty one
//   response: STDOUT and STDERR …, END_REQUEST (status of the program u32 | of the protocol u8)
//   param   : length of name, of value (u8, or u32 with the high bit set) | name | value
//
// STDOUT begins with the header of a CGI answer, whose Status is 200 unless it says otherwise.

import type { Status } from "../../../../model/status.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { templatePath } from "../../../wire/path_template.ts";
import {
  type Claim,
  defineProtocol,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { FASTCGI_FIELDS, type Params, readParams } from "./fastcgi_params.ts";

type F = typeof FASTCGI_FIELDS;

const BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4;
const STDIN = 5, STDOUT = 6, STDERR = 7, UNKNOWN_TYPE = 11;
const HEADER_BYTES = 8;
const PARAMS_BYTES_MAX = 1 << 17;
/** Of a CGI header only so much is read. */
const CGI_BYTES_MAX = 4_096;
const ERROR_CHARS_MAX = 1_024;

interface State {
  /** Content and padding of a record still to skip, per direction. */
  readonly tail: Record<Way, number>;
  /** Parameters of the request whose PARAMS have not all passed. */
  params: Uint8Array;
  /** Queries show the values of secret parameters. */
  readonly unmask: boolean;
  /** The response of this request has begun; -1 when none has. */
  answering: number;
  /** What STDERR said of the request so far. */
  error: string;
}

const EMPTY = new Uint8Array(0);

export const fastcgi = defineProtocol<F, State>({
  name: "fastcgi",
  spec: "https://fastcgi-archives.github.io/FastCGI_Specification.html",
  transports: ["tcp", "unix"],
  fields: FASTCGI_FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet(1),
  probe,
  open: (_transport, options) => ({
    unmask: options?.unmask === true,
    tail: { toServer: 0, toClient: 0, unknown: 0 },
    params: EMPTY,
    answering: -1,
    error: "",
  }),

  read(cursor, way, make, state) {
    const tail = state.tail[way];
    if (tail > 0) {
      state.tail[way] = 0;
      return { kind: "skip", bytes: tail };
    }
    if (cursor.u8() !== 1) throw new Malformed("no such version");
    const type = cursor.u8();
    const id = cursor.u16();
    const content = cursor.u16();
    const padding = cursor.u8();
    cursor.skip(1);
    const record = { type, id, content, padding };
    switch (type) {
      case PARAMS:
        return readParamsRecord(cursor, record, make, state);
      case STDIN:
        return readStdin(record, state);
      case STDOUT:
        return readStdout(cursor, record, make, state);
      case STDERR:
        return readStderr(cursor, record, state);
      case END_REQUEST:
        return readEnd(cursor, record, make, state);
      default:
        if (type < BEGIN_REQUEST || type > UNKNOWN_TYPE) throw new Malformed("no such record");
        cursor.skip(content + padding);
        return NOTHING;
    }
  },

  lost(state, way) {
    state.tail[way] = 0;
    if (way !== "toClient") state.params = EMPTY;
    if (way !== "toServer") state.answering = -1;
  },
});

interface CgiRecord {
  readonly type: number;
  readonly id: number;
  readonly content: number;
  readonly padding: number;
}

const NOTHING: Step = { kind: "nothing" };

/** Parameters are gathered until an empty record says that they are whole. */
function readParamsRecord(
  cursor: Cursor,
  { id, content, padding }: CgiRecord,
  make: Make<F>,
  state: State,
): Step {
  const part = cursor.bytes(content);
  cursor.skip(padding);
  if (content === 0) {
    const params = readParams(state.params, state.unmask);
    state.params = EMPTY;
    return make.request(requestOf(params, id));
  }
  if (state.params.length + content > PARAMS_BYTES_MAX) throw new Malformed("too many parameters");
  const whole = new Uint8Array(state.params.length + content);
  whole.set(state.params);
  whole.set(part, state.params.length);
  state.params = whole;
  return NOTHING;
}

function requestOf({ fields, identity, path, domain }: Params, id: number) {
  return {
    type: fields.method ?? "",
    resource: fields.query === undefined ? path : `${path}?${fields.query}`,
    domain,
    endpoint: templatePath(path),
    id,
    identity,
    more: true,
    fields,
  };
}

/** The body of the request: its end is an empty record. */
function readStdin({ content, padding }: CgiRecord, state: State): Step {
  state.tail.toServer = content + padding;
  return content === 0 ? { kind: "end" } : NOTHING;
}

function readStdout(
  cursor: Cursor,
  { id, content, padding }: CgiRecord,
  make: Make<F>,
  state: State,
): Step {
  if (state.answering === id || content === 0) {
    state.tail.toClient = content + padding;
    return NOTHING;
  }
  const kept = Math.min(content, CGI_BYTES_MAX);
  const head = readCgiHead(cursor.textCaptured(kept));
  state.answering = id;
  state.tail.toClient = content - kept + padding;
  return make.response({
    code: head.code,
    status: statusOf(head.code),
    id,
    more: true,
    fields: {
      status_code: head.code,
      ...(head.contentType !== "" && { content_type: head.contentType }),
    },
  });
}

/** `Status: 404 Not Found`, `Content-type: …`, up to an empty line */
function readCgiHead(text: string): { code: number; contentType: string } {
  let code = 200;
  let contentType = "";
  for (const line of text.split("\n", 64)) {
    if (line === "" || line === "\r") break;
    const status = /^status:\s*(\d{3})/i.exec(line);
    const type = /^content-type:\s*(.*?)\r?$/i.exec(line);
    if (status !== null) code = Number(status[1]);
    else if (type !== null) contentType = type[1] ?? "";
  }
  return { code, contentType };
}

function statusOf(code: number): Status {
  if (code >= 500) return "server_error";
  return code >= 400 ? "client_error" : "ok";
}

/** What the program complains of is told with the end of its request. */
function readStderr(cursor: Cursor, { content, padding }: CgiRecord, state: State): Step {
  const text = cursor.textCaptured(content, ERROR_CHARS_MAX);
  cursor.skip(padding);
  if (state.error.length < ERROR_CHARS_MAX) state.error += text;
  return NOTHING;
}

const PROTOCOL_STATUSES = ["REQUEST_COMPLETE", "CANT_MPX_CONN", "OVERLOADED", "UNKNOWN_ROLE"];

function readEnd(
  cursor: Cursor,
  { id, content, padding }: CgiRecord,
  make: Make<F>,
  state: State,
): Step {
  cursor.enter(content + padding);
  const exitCode = cursor.u32();
  const outcome = cursor.u8();
  cursor.leave();
  const error = state.error.trim();
  const begun = state.answering === id;
  state.error = "";
  state.answering = -1;
  const fields = {
    ...(exitCode !== 0 && { exit_code: exitCode }),
    ...(outcome !== 0 && { protocol_status: PROTOCOL_STATUSES[outcome] ?? String(outcome) }),
    ...(error !== "" && { error_message: error }),
  };
  const failed = outcome !== 0;
  if (begun) return { kind: "end", fields, ...(failed && { status: "server_error" as const }) };
  return make.response({ id, status: failed ? "server_error" : "ok", fields });
}

const NO: Claim = { kind: "no" };

/** Version, a type, and a second record where the first one ends. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < HEADER_BYTES) return length < HEADER_BYTES ? { kind: "maybe" } : NO;
  const [version, type = 0, , id = 0, high = 0, low = 0, padding = 0, reserved] = bytes;
  const content = high << 8 | low;
  if (version !== 1 || reserved !== 0 || (bytes[2] === 0 && id === 0)) return NO;
  if (type === BEGIN_REQUEST) {
    if (content !== 8 || length < 16 || bytes[8] !== 0) return NO;
    const role = bytes[9] ?? 0;
    if (role < 1 || role > 3 || (bytes[10] ?? 2) > 1) return NO;
    return { kind: "request", score: length === 16 || bytes[16] === 1 ? 95 : 50 };
  }
  if (type !== STDOUT && type !== STDERR && type !== END_REQUEST) return NO;
  const next = HEADER_BYTES + content + padding;
  if (type === END_REQUEST && content !== 8) return NO;
  if (next > length) return type === STDOUT && content > 1_024 ? PLAUSIBLE : NO;
  if (next === length) return { kind: "response", score: 70 };
  if (next + 4 > bytes.length) return PLAUSIBLE;
  const after = bytes[next + 1] ?? 0;
  const follows = bytes[next] === 1 && bytes[next + 3] === id && after >= 3 && after <= STDERR;
  return follows ? { kind: "response", score: 92 } : NO;
}

const PLAUSIBLE: Claim = { kind: "response", score: 55 };
