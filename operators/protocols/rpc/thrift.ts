// SPDX-License-Identifier: Apache-2.0
// Thrift: binary and compact encoding, bare or in frames (length u32 | message), with THeader.
//
// A reply is a struct whose field 0 is the result; any other field is an exception that the
// service declares. Bare messages end where their struct does, so it is walked.

import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed, Truncated } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";
import { type Headers, readHead, readHeaders, type ThriftHead } from "./thrift_head.ts";
import { readStruct, type Struct } from "./thrift_values.ts";

const FRAME_BYTES_MAX = 1 << 28;
/** Of a longer frame only so much is read. */
const READ_BYTES_MAX = 16_384;
/** A longer message without a frame is told before it has passed: its end cannot be known. */
const BARE_BYTES_MAX = 1 << 18;
const CALL = 1, REPLY = 2, EXCEPTION = 3, ONE_WAY = 4;

const FIELDS = {
  method: { type: "string", otel: "rpc.method", doc: "method" },
  service: { type: "string", otel: "rpc.service", doc: "service, of multiplexed names or headers" },
  caller: { type: "string", otel: "peer.service", doc: "service that calls, of headers" },
  sequence_id: { type: "number", otel: "rpc.message.id", doc: "sequence id" },
  encoding: { type: "string", doc: "binary or compact" },
  exception_type: { type: "number", doc: "type of a TApplicationException" },
  exception_field: { type: "number", doc: "number of the declared exception that was thrown" },
  error_message: { type: "string", doc: "text of a TApplicationException" },
} as const;
type F = typeof FIELDS;

interface State {
  readonly tails: Tails;
  /** A bare message was told whose end is not known. */
  readonly endless: Record<Way, boolean>;
}

export const thrift = defineProtocol<F, State>({
  name: "thrift",
  spec: "https://github.com/apache/thrift/blob/master/doc/specs/thrift-rpc.md",
  transports: ["tcp", "udp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 3], 0x80, 0x82),
  probe,
  open: () => ({
    tails: noTails(),
    endless: { toServer: false, toClient: false, unknown: false },
  }),

  read(cursor, way, make, state) {
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    if (state.endless[way]) {
      state.endless[way] = false;
      return { kind: "lost" };
    }
    return cursor.peek() >= 0x80
      ? readBare(cursor, way, make, state)
      : readFrame(cursor, way, make, state);
  },

  lost(state, way) {
    dropTail(state.tails, way);
    state.endless[way] = false;
  },
});

const NO_HEADERS: Headers = { identity: null, service: "", caller: "" };

function readBare(cursor: Cursor, way: Way, make: Make<F>, state: State): Step {
  const head = readHead(cursor);
  const bodyAt = cursor.position;
  try {
    return tell(head, NO_HEADERS, readStruct(cursor, head.compact), false, make);
  } catch (error) {
    if (!(error instanceof Truncated) || cursor.position < BARE_BYTES_MAX) throw error;
  }
  cursor.rewind(bodyAt);
  const step = tell(head, NO_HEADERS, null, true, make);
  state.endless[way === "unknown" ? wayOf(head) : way] = true;
  return step;
}

const wayOf = (head: ThriftHead): Way =>
  head.type === CALL ? "toServer" : head.type === ONE_WAY ? "unknown" : "toClient";

function readFrame(cursor: Cursor, way: Way, make: Make<F>, state: State): Step {
  const size = cursor.u32();
  if (size < 6 || size > FRAME_BYTES_MAX) throw new Malformed("no size of a frame");
  const kept = Math.min(size, READ_BYTES_MAX);
  cursor.enter(kept);
  const first = cursor.peek();
  const headers = first === 0x0f || first === 0x10 ? readHeaders(cursor) : NO_HEADERS;
  const head = readHead(cursor);
  let struct: Struct | null = null;
  attempt(() => void (struct = readStruct(cursor, head.compact)));
  const step = tell(head, headers, struct, size > kept, make);
  cursor.leave();
  if (size > kept) keepTail(state.tails, way, step, size - kept);
  return step;
}

function tell(
  head: ThriftHead,
  headers: Headers,
  struct: Struct | null,
  more: boolean,
  make: Make<F>,
): Step {
  const colon = head.name.lastIndexOf(":");
  const method = colon < 0 ? head.name : head.name.slice(colon + 1);
  const service = colon < 0 ? headers.service : head.name.slice(0, colon);
  const draft = {
    type: method,
    id: head.sequence,
    identity: headers.identity,
    more,
  };
  if (head.type === CALL || head.type === ONE_WAY) {
    const request = {
      ...draft,
      resource: service,
      endpoint: service === "" ? method : `${service}/${method}`,
      fields: {
        method,
        ...(service !== "" && { service }),
        ...(headers.caller !== "" && { caller: headers.caller }),
        sequence_id: head.sequence,
        encoding: head.compact ? "compact" : "binary",
      },
    };
    return head.type === CALL ? make.request(request) : make.oneway(request);
  }
  if (head.type !== REPLY && head.type !== EXCEPTION) throw new Malformed("no such type");
  return make.response({ ...draft, ...outcome(head, struct) });
}

function outcome(head: ThriftHead, struct: Struct | null) {
  if (head.type === EXCEPTION) {
    const code = struct?.number ?? 0;
    const text = struct?.text ?? "";
    return {
      code,
      status: statusOf(code),
      fields: { exception_type: code, ...(text !== "" && { error_message: text }) },
    };
  }
  if (struct === null || struct.first <= 0) return { status: "ok" as const };
  return { status: "server_error" as const, fields: { exception_field: struct.first } };
}

/** 5 and 6: the server gave no result, or failed; 0 is unknown. All others blame the call. */
const statusOf = (code: number): Status =>
  code === 0 || code === 5 || code === 6 ? "server_error" : "client_error";

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  const first = bytes[0] ?? 0;
  if (first >= 0x80) return probeMessage(bytes, 0, length);
  if (bytes.length < 8) return length < 8 ? { kind: "maybe" } : NO;
  const size = (bytes[1] ?? 0) << 16 | (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0);
  if (size < 6) return NO;
  const magic = (bytes[4] ?? 0) << 8 | (bytes[5] ?? 0);
  if (magic === 0x0fff || magic === 0x1000) return probeHeaders(bytes, size, length);
  return probeMessage(bytes, 4, length);
}

/** A message that begins at `at`: version, type, and a name as programmers write them. */
function probeMessage(bytes: Uint8Array, at: number, length: number): Claim {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  const compact = first === 0x82;
  const type = compact ? second >> 5 : fourth;
  if (compact ? (second & 31) !== 1 : first !== 0x80 || second !== 1 || third !== 0) return NO;
  if (type < CALL || type > ONE_WAY) return NO;
  if (bytes.length < at + 12) return length < at + 12 ? { kind: "maybe" } : NO;
  let name = at + 8;
  let bytesOfName = (bytes[at + 6] ?? 0) << 8 | (bytes[at + 7] ?? 0);
  if (compact) {
    name = at + 2;
    while ((bytes[name] ?? 0) >= 0x80 && name < at + 7) name++;
    bytesOfName = bytes[name + 1] ?? 0;
    name += 2;
  } else if (bytes[at + 4] !== 0 || bytes[at + 5] !== 0) return NO;
  if (bytesOfName === 0 || bytesOfName > 256) return NO;
  for (let i = name; i < Math.min(name + bytesOfName, bytes.length); i++) {
    if (!isNamed(bytes[i] ?? 0)) return NO;
  }
  const side = type === CALL || type === ONE_WAY ? "request" : "response";
  return { kind: side, score: compact && at === 0 ? 85 : 93 };
}

/** Letters, digits, and what joins them. */
const isNamed = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x2d && byte <= 0x3a) ||
  (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;

/** Flags are small, the headers lie within the frame, and a message begins behind them. */
function probeHeaders(bytes: Uint8Array, size: number, length: number): Claim {
  if (bytes.length < 14) return length < 14 ? { kind: "maybe" } : NO;
  const at = 14 + ((bytes[12] ?? 0) << 8 | (bytes[13] ?? 0)) * 4;
  if (at >= size + 4) return NO;
  return at < bytes.length ? probeMessage(bytes, at, length) : { kind: "maybe" };
}
