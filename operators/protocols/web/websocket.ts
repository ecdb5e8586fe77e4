// SPDX-License-Identifier: Apache-2.0
// WebSocket, after the upgrade of an HTTP connection.
//
//   frame: end 1 bit, reserved 3 bits, opcode 4 bits | masked 1 bit, length 7 bits
//          | [length u16 (126) or u64 (127)] | [mask, 4 bytes] | payload
//   opcode: 0 more of a message, 1 text, 2 binary, 8 close, 9 ping, 10 pong
//
// Every message is one-way: nothing says which of them belong together. Only pings are answered.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";

const CONTINUATION = 0, CLOSE = 8, PING = 9;
const TYPES: Readonly<Record<number, string>> = {
  1: "TEXT",
  2: "BINARY",
  8: "CLOSE",
  9: "PING",
  10: "PONG",
};

const FIELDS = {
  body_size: { type: "number", doc: "bytes of the first frame" },
  frames: { type: "number", doc: "frames of the message, when more than one" },
  compressed: { type: "boolean", doc: "the payload is compressed" },
  close_code: { type: "number", doc: "status code of CLOSE" },
  close_reason: { type: "string", doc: "reason of CLOSE" },
} as const;
type F = typeof FIELDS;

interface Lane {
  /** Payload still to pass, and whether the message ends behind it. */
  tail: number;
  ends: boolean;
  /** Frames of the message in progress, 0 when there is none. */
  frames: number;
}
type State = Record<Way, Lane>;

const newLane = (): Lane => ({ tail: 0, ends: true, frames: 0 });

export const websocket = defineProtocol<F, State>({
  name: "websocket",
  spec: "https://www.rfc-editor.org/rfc/rfc6455",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "prefix",
  starts: byteSet(0x81),
  probe,
  open: () => ({ toServer: newLane(), toClient: newLane(), unknown: newLane() }),

  read(cursor, way, make, state) {
    const lane = state[way];
    if (lane.tail > 0) return readTail(cursor, lane);
    const first = cursor.u8();
    const second = cursor.u8();
    const opcode = first & 15;
    const length = (second & 0x7f) === 126
      ? cursor.u16()
      : (second & 0x7f) === 127
      ? Number(cursor.u64())
      : second & 0x7f;
    if (length > Number.MAX_SAFE_INTEGER) throw new Malformed("frame too long");
    const masked = second >= 0x80;
    if (opcode === CONTINUATION) {
      if (masked) cursor.skip(4);
      return readContinuation(first >= 0x80, length, lane);
    }
    if (TYPES[opcode] === undefined) throw new Malformed("no such opcode");
    if (opcode >= CLOSE) return readControl(cursor, opcode, length, masked, way, lane, make);
    if (masked) cursor.skip(4);
    lane.ends = first >= 0x80;
    lane.tail = length;
    lane.frames = lane.ends && length === 0 ? 0 : 1;
    return make.oneway({
      type: TYPES[opcode] ?? "",
      more: lane.frames > 0,
      fields: { body_size: length, ...((first & 0x40) !== 0 && { compressed: true }) },
    });
  },

  lost(state, way) {
    state[way] = newLane();
  },
});

const NOTHING: Step = { kind: "nothing" };

function readTail(cursor: Cursor, lane: Lane): Step {
  if (!lane.ends || lane.tail > 1) {
    const bytes = lane.ends ? lane.tail - 1 : lane.tail;
    lane.tail -= bytes;
    return { kind: "skip", bytes };
  }
  cursor.skip(1);
  lane.tail = 0;
  return endOf(lane);
}

function endOf(lane: Lane): Step {
  const { frames } = lane;
  lane.frames = 0;
  return { kind: "end", ...(frames > 1 && { fields: { frames } }) };
}

function readContinuation(ends: boolean, length: number, lane: Lane): Step {
  lane.ends = ends;
  lane.tail = length;
  lane.frames++;
  return ends && length === 0 ? endOf(lane) : NOTHING;
}

/** Control frames are short, and may come between the frames of a message. */
function readControl(
  cursor: Cursor,
  opcode: number,
  length: number,
  masked: boolean,
  way: Way,
  lane: Lane,
  make: Make<F>,
): Step {
  if (length > 125) throw new Malformed("control frame too long");
  cursor.enter(length + (masked ? 4 : 0));
  const mask = masked ? cursor.bytes(4) : null;
  const payload = opcode === CLOSE ? unmasked(cursor.bytes(length), mask) : null;
  cursor.leave();
  if (lane.frames > 0) return NOTHING;
  const type = TYPES[opcode] ?? "";
  if (payload === null) {
    // An end answers the pings of the other one.
    const asker = (opcode === PING) === (way !== "toClient") ? "client" : "server";
    const draft = { type, endpoint: "PING", id: `ping of the ${asker}` };
    return opcode === PING ? make.request(draft) : make.response({ type, id: draft.id });
  }
  const code = payload.length < 2 ? 1_005 : (payload[0] ?? 0) << 8 | (payload[1] ?? 0);
  const reason = new TextDecoder().decode(payload.subarray(2));
  const fine = code === 1_000 || code === 1_001 || code === 1_005;
  return make.oneway({
    type,
    code,
    status: fine ? "ok" : code >= 1_011 ? "server_error" : "client_error",
    fields: { close_code: code, ...(reason !== "" && { close_reason: reason }) },
  });
}

function unmasked(payload: Uint8Array, mask: Uint8Array | null): Uint8Array {
  return mask === null ? payload : payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0));
}

const NO: Claim = { kind: "no" };

/** Joined midway, only a whole frame with a JSON text in it is believed. */
function probe(bytes: Uint8Array, length: number): Claim {
  const second = bytes[1] ?? 0;
  const masked = second >= 0x80;
  const short = second & 0x7f;
  if (bytes[0] !== 0x81 || short === 127 || bytes.length !== length) return NO;
  const headBytes = (short === 126 ? 4 : 2) + (masked ? 4 : 0);
  const size = short === 126 ? (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0) : short;
  if (size < 2 || headBytes + size !== length) return NO;
  const mask = masked ? bytes.subarray(headBytes - 4, headBytes) : null;
  const edge = (at: number): number =>
    (bytes[headBytes + at] ?? 0) ^ (mask === null ? 0 : mask[at & 3] ?? 0);
  const [first, last] = [edge(0), edge(size - 1)];
  const json = (first === 0x7b && last === 0x7d) || (first === 0x5b && last === 0x5d);
  if (!json) return NO;
  return { kind: masked ? "request" : "response", score: 65 };
}
