// SPDX-License-Identifier: Apache-2.0
// Oracle's TNS, and of the calls inside of it (TTC) as much as can be told from outside.
//
//   packet : bytes u16, checksum u16, or bytes u32 | type u8 | flags u8 | checksum u16 | …
//   type   : 1 CONNECT, 2 ACCEPT, 4 REFUSE, 5 REDIRECT, 6 DATA, 11 RESEND, 12 MARKER, 14 CONTROL
//   DATA   : flags u16 | function u8 | …       function: 3 call (its number u8), 11 piggyback
//   CONNECT: … length of the descriptor u16 at 24, its offset u16 at 26 | (DESCRIPTION=…)
//
// TTC is not published. A statement is found by the word that it begins with, and the length in
// front of it; an error by "ORA-". A response is told by its first packet.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../wire/protocol.ts";
import { errorText } from "./error_text.ts";
import { describeSql, type SqlText } from "./sql_text.ts";
import { latin1Of } from "../../wire/text.ts";

const HEADER_BYTES = 8;
const PACKET_BYTES_MAX = 1 << 21;
/** Of a packet only so much is looked through. */
const READ_BYTES_MAX = 8_192;
const CONNECT = 1, ACCEPT = 2, REFUSE = 4, REDIRECT = 5, DATA = 6, RESEND = 11, CONTROL = 14;
const CALL = 3, PIGGYBACK = 0x11, EXECUTE = 0x5e;

const CALLS: Readonly<Record<number, string>> = {
  0x02: "OPEN",
  0x05: "FETCH",
  0x09: "LOGOFF",
  0x0c: "AUTOCOMMIT_ON",
  0x0d: "AUTOCOMMIT_OFF",
  0x0e: "COMMIT",
  0x0f: "ROLLBACK",
  0x14: "CANCEL",
  0x3b: "VERSION",
  0x5e: "EXECUTE",
  0x60: "LOB",
  0x73: "AUTHENTICATE",
  0x76: "SESSION_KEY",
  0x77: "DESCRIBE",
  0x93: "PING",
};

const FIELDS = {
  service: { type: "string", otel: "db.namespace", doc: "service name or SID" },
  user: { type: "string", doc: "user of the client's system, as the descriptor says" },
  program: { type: "string", doc: "program that connects" },
  summary: { type: "string", otel: "db.query.summary", doc: "operation and table" },
  error_code: { type: "string", otel: "db.response.status_code", doc: "ORA code" },
  error_message: { type: "string", doc: "text of the error" },
} as const;
type F = typeof FIELDS;

interface State {
  service: string;
  /** Requests that wait for their answer. */
  waiting: number;
  /** Values of statements stay in their texts. */
  readonly unmask: boolean;
}

export const oracle = defineProtocol<F, State>({
  name: "oracle",
  spec: "https://docs.oracle.com/en/database/oracle/oracle-database/19/netag/",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet([0, 0x20]),
  probe,
  open: (_transport, options) => ({
    service: "",
    waiting: 0,
    unmask: options?.unmask === true,
  }),

  read(cursor, way, make, state) {
    const high = cursor.u16();
    const low = cursor.u16();
    const size = (high === 0 ? low : high) - HEADER_BYTES;
    const type = cursor.u8();
    cursor.skip(3);
    if (size < 0 || size > PACKET_BYTES_MAX || type === 0 || type > CONTROL) {
      throw new Malformed("not a packet");
    }
    cursor.enter(size);
    const step = way === "toClient"
      ? readAnswer(cursor, type, make, state)
      : readRequest(cursor, type, make, state);
    cursor.leave();
    return step;
  },

  lost(state) {
    state.waiting = 0;
  },
});

const NOTHING: Step = { kind: "nothing" };

/** What is captured of the packet, each byte as a character. */
function rest(cursor: Cursor): string {
  return cursor.latin1(Math.min(cursor.captured, READ_BYTES_MAX));
}

function readRequest(cursor: Cursor, type: number, make: Make<F>, state: State): Step {
  if (type === CONNECT) return readConnect(cursor, make, state);
  if (type !== DATA || cursor.remaining < 4) return NOTHING;
  cursor.skip(2);
  const text = rest(cursor);
  const first = text.charCodeAt(0);
  // A piggyback has the call proper behind it.
  const at = first === CALL ? 0 : first === PIGGYBACK ? text.indexOf("\x03\x5e", 2) : -1;
  const call = at < 0 ? 0 : text.charCodeAt(at + 1);
  const name = CALLS[call];
  if (name === undefined) return NOTHING;
  const sql = call === EXECUTE ? statementIn(text.slice(at + 2), state.unmask) : null;
  state.waiting++;
  const draft: Draft<F> = {
    type: sql === null || sql.operation === "" ? name : sql.operation,
    resource: sql?.text ?? "",
    domain: state.service,
    endpoint: sql?.summary ?? name,
    identity: sql?.identity ?? null,
    fields: {
      ...(state.service !== "" && { service: state.service }),
      ...(sql !== null && { summary: sql.summary }),
    },
  };
  return make.request(draft);
}

/** The descriptor may come in a packet of its own when it is long. */
function readConnect(cursor: Cursor, make: Make<F>, state: State): Step {
  const text = rest(cursor);
  const part = (name: string): string =>
    new RegExp(`\\(${name}=([^()]{0,128})\\)`, "i").exec(text)?.[1] ?? "";
  state.service = part("SERVICE_NAME") || part("SID");
  const user = part("USER");
  const program = part("PROGRAM");
  state.waiting++;
  return make.request({
    type: "CONNECT",
    resource: state.service,
    domain: state.service,
    endpoint: "CONNECT",
    fields: {
      ...(state.service !== "" && { service: state.service }),
      ...(user !== "" && { user }),
      ...(program !== "" && { program }),
    },
  });
}

const FIRST_WORDS = [
  ...["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "BEGIN", "DECLARE", "CALL"],
  ...["ALTER", "CREATE", "DROP", "TRUNCATE", "EXPLAIN", "LOCK", "GRANT", "REVOKE", "COMMIT"],
  ...["ROLLBACK", "SAVEPOINT", "SET"],
];
const STATEMENT = new RegExp(`/\\*|\\b(?:${FIRST_WORDS.join("|")})\\b`, "i");

/** The length stands before the text; fe before it says that parts with lengths follow. */
function statementIn(text: string, unmask: boolean): SqlText | null {
  const at = STATEMENT.exec(text)?.index ?? 0;
  if (at === 0) return null;
  const bytes = text.charCodeAt(at - 1);
  let statement = "";
  if (at >= 2 && text.charCodeAt(at - 2) === 0xfe) {
    for (let start = at - 1; start < text.length;) {
      const count = text.charCodeAt(start);
      if (count === 0) break;
      statement += text.slice(start + 1, start + 1 + count);
      start += 1 + count;
    }
  } else if (bytes >= 4) statement = text.slice(at, at + bytes);
  const printable = printableOf(statement);
  return printable === "" ? null : describeSql(printable, "other", unmask);
}

/** What stands before the first byte that no statement has. */
function printableOf(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x09 || (code > 0x0d && code < 0x20)) return text.slice(0, i);
  }
  return text;
}

/** What answers a CONNECT; after RESEND it is sent again. */
const ENDINGS: Readonly<Record<number, string>> = {
  [ACCEPT]: "ACCEPT",
  [REFUSE]: "REFUSE",
  [REDIRECT]: "REDIRECT",
  [RESEND]: "RESEND",
};

function readAnswer(cursor: Cursor, type: number, make: Make<F>, state: State): Step {
  const ending = ENDINGS[type];
  if (ending !== undefined) {
    const text = type === ACCEPT || type === RESEND ? "" : rest(cursor);
    const code = /\(ERR=(\d{1,6})\)/.exec(text)?.[1];
    state.waiting = Math.max(0, state.waiting - 1);
    return make.response({
      type: ending,
      ...(code !== undefined && { code: Number(code) }),
      status: type === REFUSE ? "server_error" : "ok",
      fields: code === undefined ? {} : { error_code: `ORA-${code}` },
    });
  }
  // Rows go on over packets; markers and the negotiations of a login are no answers.
  if (type !== DATA || state.waiting === 0) return NOTHING;
  state.waiting--;
  const found = /ORA-(\d{5})(?:: ([^\0\n]{0,256}))?/.exec(rest(cursor));
  // No data found: the end of a fetch.
  if (found === null || found[1] === "01403") return make.response({});
  const message = errorText(found[2] ?? "", state.unmask);
  const code = Number(found[1]);
  return make.response({
    code,
    status: isServers(code) ? "server_error" : "client_error",
    fields: { error_code: `ORA-${found[1]}`, ...(message !== "" && { error_message: message }) },
  });
}

/** Internal errors, resources, the instance, its files, and connections: not the statement's. */
const isServers = (code: number): boolean =>
  (code >= 18 && code <= 30) || code === 60 || (code >= 200 && code <= 700) ||
  (code >= 1_033 && code <= 1_092) || (code >= 3_113 && code <= 3_135) ||
  (code >= 4_030 && code <= 4_036) || (code >= 12_150 && code <= 12_699);

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 12) return length < 12 ? { kind: "maybe" } : NO;
  const u16 = (at: number) => (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  const size = u16(0) === 0 ? u16(2) : u16(0);
  const type = bytes[4] ?? 0;
  if (size !== length || (u16(0) !== 0 && u16(2) !== 0) || u16(6) !== 0) return NO;
  if (type === CONNECT) {
    const version = u16(8);
    return version >= 300 && version < 400 && length >= 50 ? { kind: "request", score: 92 } : NO;
  }
  if (type === ACCEPT) {
    return u16(8) >= 300 && u16(8) < 400 && length >= 24 ? { kind: "response", score: 85 } : NO;
  }
  if (type === REFUSE) {
    const text = latin1Of(bytes, 12, 40);
    return text.includes("(DESCRIPTION=") ? { kind: "response", score: 90 } : NO;
  }
  if (type !== DATA || u16(8) > 0x40) return NO;
  const called = bytes[10] === CALL && CALLS[bytes[11] ?? 0] !== undefined && length > 14;
  return called ? { kind: "request", score: 70 } : NO;
}
