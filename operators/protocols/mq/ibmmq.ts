// SPDX-License-Identifier: Apache-2.0
// IBM MQ (WebSphere MQ), the calls that clients make.
//
//   segment: "TSH ", "TSHC" or "TSHM" | bytes u32, all of it
//            | [conversation u32 | request u32] (TSHM)
//            | byte order u8 (1 big, 2 little) | type u8 | flags u8, u8 | unit of work, 8 bytes
//            | encoding u32 | character set u16 | u16 | body
//   call   : type 81 to 8f, its reply 91 to 9f: bytes u32 | completion u32 | reason u32
//            | object u32 | …
//   MQOPEN, MQPUT1: … "OD  " | version u32 | type u32 | name, 48 bytes | queue manager, 48 bytes
//
// The format is not published; this is what the dissectors of others show.

import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";

const SEGMENT_BYTES_MAX = 1 << 27;
/** Of a longer segment only so much is read. */
const READ_BYTES_MAX = 4_096;
const OBJECTS_MAX = 4_096;
const CONNECT = 0x81, OPEN = 0x83, PUT1 = 0x87, SUBSCRIBE = 0x8e, REPLY = 0x10;

const CALLS: Readonly<Record<number, string>> = {
  0x81: "MQCONN",
  0x82: "MQDISC",
  0x83: "MQOPEN",
  0x84: "MQCLOSE",
  0x85: "MQGET",
  0x86: "MQPUT",
  0x87: "MQPUT1",
  0x88: "MQSET",
  0x89: "MQINQ",
  0x8a: "MQCMIT",
  0x8b: "MQBACK",
  0x8c: "SPI",
  0x8d: "MQSTAT",
  0x8e: "MQSUB",
  0x8f: "MQSUBRQ",
};

const FIELDS = {
  queue: { type: "string", otel: "messaging.destination.name", doc: "queue or topic" },
  queue_manager: { type: "string", otel: "server.address", doc: "queue manager" },
  conversation: { type: "number", doc: "conversation on the connection" },
  object: { type: "number", doc: "handle of the object" },
  completion_code: { type: "number", doc: "0 ok, 1 warning, 2 failed" },
  reason_code: { type: "number", doc: "reason code" },
} as const;
type F = typeof FIELDS;

interface State {
  readonly tails: Tails;
  /** Names of open objects by conversation and handle, and of those that are being opened. */
  readonly objects: Map<string, string>;
  readonly opening: Map<number, string>;
  manager: string;
}

export const ibmmq = defineProtocol<F, State>({
  name: "ibmmq",
  spec: "https://www.ibm.com/docs/en/ibm-mq/latest?topic=reference-mqi-applications",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 300_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("T"),
  probe,
  open: () => ({ tails: noTails(), objects: new Map(), opening: new Map(), manager: "" }),

  read(cursor, way, make, state) {
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    const magic = cursor.latin1(4);
    if (magic !== "TSH " && magic !== "TSHC" && magic !== "TSHM") throw new Malformed("no segment");
    const rest = cursor.u32() - 8;
    if (rest < 20 || rest > SEGMENT_BYTES_MAX) throw new Malformed("no size of a segment");
    const kept = Math.min(rest, READ_BYTES_MAX);
    cursor.enter(kept);
    const step = readSegment(cursor, magic === "TSHM", rest > kept, make, state);
    cursor.leave();
    if (rest > kept) keepTail(state.tails, way, step, rest - kept);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

const NOTHING: Step = { kind: "nothing" };

function readSegment(
  cursor: Cursor,
  multiplexed: boolean,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  const conversation = multiplexed ? cursor.u32() : 0;
  const request = multiplexed ? cursor.u32() : 0;
  const little = cursor.u8() === 2;
  const type = cursor.u8();
  cursor.skip(18);
  const reply = (type & REPLY) !== 0;
  const call = type & ~REPLY;
  const name = CALLS[call];
  // Negotiation, heartbeats and what the server sends by itself.
  if (name === undefined) return NOTHING;
  const u32 = (): number => little ? cursor.u32le() : cursor.u32();
  cursor.skip(4);
  const completion = u32();
  const reason = u32();
  const object = u32();
  const id = multiplexed ? `${conversation} ${request}` : name;
  const found = { call, name, conversation, object, id, more };
  return reply
    ? tellReply(found, completion, reason, make, state)
    : tellCall(cursor, found, make, state);
}

interface Call {
  readonly call: number;
  readonly name: string;
  readonly conversation: number;
  readonly object: number;
  readonly id: string;
  readonly more: boolean;
}

const objectKey = ({ conversation, object }: Call): string => `${conversation} ${object}`;

function tellCall(cursor: Cursor, found: Call, make: Make<F>, state: State): Step {
  const { call, name, conversation, object, id, more } = found;
  let queue = state.objects.get(objectKey(found)) ?? "";
  attempt(() => {
    if (call === CONNECT) state.manager = padded(cursor, 48);
    else if (call === OPEN || call === PUT1) queue = readDescriptor(cursor);
  });
  if (call === OPEN || call === SUBSCRIBE) keep(state.opening, conversation, queue);
  const { manager } = state;
  return make.request({
    type: name,
    resource: queue,
    domain: manager,
    endpoint: queue === "" ? name : queue,
    id,
    more,
    fields: {
      ...(queue !== "" && { queue }),
      ...(manager !== "" && { queue_manager: manager }),
      conversation,
      ...(object > 0 && { object }),
    },
  });
}

function tellReply(
  found: Call,
  completion: number,
  reason: number,
  make: Make<F>,
  state: State,
): Step {
  const { call, name, conversation, object, id, more } = found;
  if (call === OPEN && completion < 2) {
    keep(state.objects, objectKey(found), state.opening.get(conversation) ?? "");
  }
  return make.response({
    type: name,
    code: reason,
    status: completion < 2 ? "ok" : statusOf(reason),
    id,
    more,
    fields: {
      conversation,
      ...(object > 0 && { object }),
      completion_code: completion,
      reason_code: reason,
    },
  });
}

function keep<K>(map: Map<K, string>, key: K, value: string): void {
  if (map.size >= OBJECTS_MAX && !map.has(key)) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  map.set(key, value);
}

/** The object descriptor: its name, without the blanks or NULs behind it. */
function readDescriptor(cursor: Cursor): string {
  if (cursor.latin1(4) !== "OD  ") throw new Malformed("no descriptor");
  cursor.skip(8);
  return padded(cursor, 48);
}

const padded = (cursor: Cursor, bytes: number): string =>
  cursor.latin1(bytes).replace(/\0.*$/s, "").trimEnd();

/** No message to get is no failure; 2009, 2016, 2059, 2161, 2162, 2195: the manager's. */
function statusOf(reason: number): Status {
  if (reason === 2_033) return "ok";
  return SERVER_REASONS.has(reason) ? "server_error" : "client_error";
}
const SERVER_REASONS = new Set([2_009, 2_059, 2_071, 2_101, 2_102, 2_161, 2_162, 2_195, 2_202]);

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[1] !== 0x53 || bytes[2] !== 0x48) return NO;
  if (length < 28 || bytes.length < 28) return length < 28 ? { kind: "maybe" } : NO;
  const mark = bytes[3];
  if (mark !== 0x20 && mark !== 0x43 && mark !== 0x4d) return NO;
  const at = mark === 0x4d ? 16 : 8;
  const order = bytes[at] ?? 0;
  const type = bytes[at + 1] ?? 0;
  if (order < 1 || order > 2) return NO;
  const side = type >= 0x91 ? "response" : type >= 0x81 ? "request" : "either";
  return { kind: side, score: 96 };
}
