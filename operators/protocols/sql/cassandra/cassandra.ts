// SPDX-License-Identifier: Apache-2.0
// Cassandra's native protocol (CQL), versions 1 to 5.
//
//   envelope: version u8 (80 response) | flags u8 | stream i16 | opcode u8 | bytes u32 | body
//             (versions 1 and 2: stream i8)
//   segment : length and flag, u24 little endian (17 bits, 1 bit) | crc u24 | envelopes | crc u32
//
// Version 5 puts envelopes into segments once the server has agreed to it; those of a compressed
// connection have another head, see cassandra_packed.ts. Statements that were prepared are
// remembered by their id, so that EXECUTE tells its text.

import { anyByte } from "../../../wire/byte_set.ts";
import { Cursor, Malformed } from "../../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { CASSANDRA_FIELDS, type CassandraState, newCassandraState } from "./cassandra_session.ts";
import { type Envelope, isOpcode, readRequest } from "./cassandra_request.ts";
import { readResponse } from "./cassandra_response.ts";
import { probeSegments, segmentedAt, TOLD_BYTES } from "./cassandra_segments.ts";
import { readPacked } from "./cassandra_packed.ts";
import { unpackLz4, unpackSnappy } from "../../../wire/payload/unpack.ts";
import { latin1Of } from "../../../wire/text.ts";

type F = typeof CASSANDRA_FIELDS;

const BODY_BYTES_MAX = 1 << 28;
/** Of a longer body only so much is read. */
const READ_BYTES_MAX = 16_384;
const READY = 2, AUTHENTICATE = 3, COMPRESSED = 1;

export const cassandra = defineProtocol<F, CassandraState>({
  name: "cassandra",
  spec: "https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v5.spec",
  transports: ["tcp"],
  fields: CASSANDRA_FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: anyByte(),
  probe,
  open: newCassandraState,

  read(cursor, way, make, state) {
    const lane = state.lanes[way];
    if (!state.begun) {
      // Joined midway there may have been a STARTUP. Nothing is shorter than what is needed.
      if (cursor.captured === cursor.remaining) cursor.need(TOLD_BYTES);
      state.begun = true;
      if (cursor.captured >= TOLD_BYTES) state.segmented = segmentedAt(cursor.buffer, cursor.at);
    }
    if (state.segmented === "compressed") {
      return readPacked(cursor, lane, (inner, room) => readEnvelope(inner, room, way, make, state));
    }
    if (state.segmented === "plain") return readSegmented(cursor, way, make, state);
    if (lane.tail > 1) {
      const bytes = lane.tail - 1;
      lane.tail = 1;
      return { kind: "skip", bytes };
    }
    if (lane.tail === 1) {
      cursor.skip(1);
      lane.tail = 0;
      return { kind: "end" };
    }
    return readEnvelope(cursor, Infinity, way, make, state);
  },

  lost(state, way) {
    const lane = state.lanes[way];
    lane.tail = 0;
    lane.segment = 0;
    lane.queue = [];
  },
});

/** Reads an envelope of which `room` bytes at most lie ahead: more in a later segment. */
function readEnvelope(
  cursor: Cursor,
  room: number,
  way: Way,
  make: Make<F>,
  state: CassandraState,
): Step {
  const start = cursor.position;
  const version = cursor.u8();
  const flags = cursor.u8();
  const number = version & 0x7f;
  const stream = number < 3 ? cursor.i8() : cursor.i16();
  const opcode = cursor.u8();
  const size = cursor.u32();
  if (number === 0 || number > 5 || size > BODY_BYTES_MAX) throw new Malformed("no such version");
  const response = version >= 0x80;
  if (!isOpcode(opcode, response)) throw new Malformed("no such opcode");
  const kept = Math.min(size, READ_BYTES_MAX, room - (cursor.position - start));
  const more = size > kept;
  cursor.enter(kept);
  const envelope: Envelope = { version: number, flags, stream, opcode, more };
  const body = (flags & COMPRESSED) !== 0 ? unpacked(cursor, state.compression) : cursor;
  const step = response
    ? readResponse(body, envelope, make, state)
    : readRequest(body, envelope, make, state);
  cursor.leave();
  const known = step.kind === "message" && step.message.kind !== "oneway" && way === "unknown"
    ? response ? "toClient" : "toServer"
    : way;
  state.lanes[known].tail = size - kept;
  if (number === 5 && response && (opcode === READY || opcode === AUTHENTICATE)) {
    state.segmented = state.compression === "" ? "plain" : "compressed";
  }
  return step;
}

/** The body as it was: LZ4 has its size in front, which begins with 0, Snappy has not. */
function unpacked(cursor: Cursor, compression: string): Cursor {
  const lz4 = compression === "lz4" || (compression === "" && cursor.peekOr(0) === 0);
  const bytesMax = lz4 ? Math.min(cursor.u32(), READ_BYTES_MAX) : READ_BYTES_MAX;
  const packed = cursor.bytes(cursor.captured);
  const bytes = lz4 ? unpackLz4(packed, bytesMax) : unpackSnappy(packed, bytesMax);
  const body = new Cursor();
  body.reset(bytes, 0, bytes.length, bytes.length);
  body.enter(bytes.length);
  return body;
}

const NOTHING: Step = { kind: "nothing" };
const CRC_BYTES = 4;

/**
 * `segment` counts the payload of a segment that is still to come; its checksum is passed with
 * the step that takes the last of it.
 */
function readSegmented(
  cursor: Cursor,
  way: Way,
  make: Make<F>,
  state: CassandraState,
): Step {
  const lane = state.lanes[way];
  if (lane.segment === 0) {
    const length = cursor.u24le() & 0x1ffff;
    cursor.skip(3);
    if (length === 0) {
      cursor.skip(CRC_BYTES);
      return NOTHING;
    }
    lane.segment = length;
    return NOTHING;
  }
  if (lane.tail > 0) return readSegmentTail(cursor, lane);
  // All of the segment must have passed: nothing is noted before that.
  const start = cursor.position;
  cursor.skip(lane.segment + CRC_BYTES);
  cursor.rewind(start);
  const step = readEnvelope(cursor, lane.segment, way, make, state);
  lane.segment -= cursor.position - start;
  if (lane.segment === 0) cursor.skip(CRC_BYTES);
  return step;
}

/** More of an envelope that is longer than its first segment. */
function readSegmentTail(cursor: Cursor, lane: { tail: number; segment: number }): Step {
  const bytes = Math.min(lane.tail, lane.segment);
  const last = bytes === lane.segment;
  if (bytes === lane.tail && lane.tail === 1) {
    cursor.skip(last ? 1 + CRC_BYTES : 1);
    lane.segment -= 1;
    lane.tail = 0;
    return { kind: "end" };
  }
  // All but the last byte of the envelope; with a segment that is used up goes its checksum.
  const passed = bytes === lane.tail ? bytes - 1 : bytes;
  lane.tail -= passed;
  lane.segment -= passed;
  return { kind: "skip", bytes: passed + (lane.segment === 0 ? CRC_BYTES : 0) };
}

const NO: Claim = { kind: "no" };

/** An envelope of versions 1 and 2 as later ones have it: with another byte for the stream. */
function probe(bytes: Uint8Array, length: number): Claim {
  const version = (bytes[0] ?? 0) & 0x7f;
  if (version !== 1 && version !== 2) return probeEnvelope(bytes, length);
  if (bytes.length < 8) return length < 8 ? { kind: "maybe" } : NO;
  const opcode = bytes[3] ?? 0;
  const size = (bytes[5] ?? 0) << 16 | (bytes[6] ?? 0) << 8 | (bytes[7] ?? 0);
  const response = (bytes[0] ?? 0) >= 0x80;
  // So little is in them: one whole envelope, and flags for compression and tracing only.
  if (size + 8 !== length || (bytes[1] ?? 0) > 3 || bytes[4] !== 0) return NO;
  if (!isOpcode(opcode, response) || !namesWhatItIs(bytes, opcode, size)) return NO;
  return { kind: response ? "response" : "request", score: 80 };
}

/** Without a body there is nothing that tells: such do not claim a connection. */
function namesWhatItIs(bytes: Uint8Array, opcode: number, size: number): boolean {
  const u16 = (at: number) => (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  const inner = u16(8) * 65_536 + u16(10);
  switch (opcode) {
    case 1:
      return latin1Of(bytes, 8, 300).includes("CQL_VERSION");
    case 3:
      return u16(8) + 2 === size && latin1Of(bytes, 10, 20).includes(".");
    case 7:
    case 9: {
      const rest = size - 4 - inner;
      const text = latin1Of(bytes, 12, 12 + Math.min(inner, 16));
      return inner > 3 && rest >= 0 && /^\s*[a-z]+\s/i.test(text);
    }
    case 0:
      return inner <= 0x2500 && u16(12) + 6 <= size && /^[ -~]{4}/.test(latin1Of(bytes, 14, 18));
    case 8:
      return inner >= 1 && inner <= 5 && (inner !== 1 || size === 4);
    default:
      return false;
  }
}

/** Version, opcode of its side, flags, and a length that fits what is there. */
function probeEnvelope(bytes: Uint8Array, length: number): Claim {
  const [version = 0, flags = 0] = bytes;
  const known = (version & 0x7f) >= 3 && (version & 0x7f) <= 5;
  if (bytes.length < 9) return known && length < 9 ? { kind: "maybe" } : NO;
  const segments = probeSegments(bytes, length);
  if (segments.kind !== "no" || !known) return segments;
  const opcode = bytes[4] ?? 0;
  const response = version >= 0x80;
  if (!isOpcode(opcode, response) || (flags & 0xe0) !== 0 || bytes[5] !== 0) return NO;
  const size = (bytes[6] ?? 0) << 16 | (bytes[7] ?? 0) << 8 | (bytes[8] ?? 0);
  const next = 9 + size;
  if (opcode === 1 && !startsWithMap(bytes)) return NO;
  if (!bodyFits(bytes, opcode, size)) return NO;
  if (next === length) return { kind: response ? "response" : "request", score: 88 };
  if (next < length) {
    const follows = next >= bytes.length ||
      (bytes[next] === version && isOpcode(bytes[next + 4] ?? 1, response));
    return follows ? { kind: response ? "response" : "request", score: 82 } : NO;
  }
  const long = opcode === 7 || opcode === 9 || opcode === 10 || opcode === 13 || opcode === 8;
  // Of what is packed no more than its size as it was can be looked at.
  const packed = (flags & COMPRESSED) !== 0;
  return long && (!packed || (version !== 5 && unpacks(bytes, size)))
    ? { kind: response ? "response" : "request", score: 60 }
    : NO;
}

/** What the body begins with is as its opcode says: a kind, a code, a text within the body. */
function bodyFits(bytes: Uint8Array, opcode: number, size: number): boolean {
  const first = (bytes[9] ?? 0) * 2 ** 24 + (bytes[10] ?? 0) * 2 ** 16 + (bytes[11] ?? 0) * 2 ** 8 +
    (bytes[12] ?? 0);
  const flagged = ((bytes[1] ?? 0) & 0x0f) !== 0;
  switch (opcode) {
    case READY:
    case 5:
      return size === 0;
    case AUTHENTICATE:
      return size < 300;
    case 7:
    case 9:
      return flagged || (first > 0 && first + 4 <= size && (bytes[13] ?? 0x20) >= 9);
    case 8:
      return flagged || (first >= 1 && first <= 5);
    case 0:
      return flagged || first <= 0x2500;
    case 10:
      return flagged || (first >>> 16 >= 4 && first >>> 16 <= 64);
    default:
      return true;
  }
}

/** LZ4: the size as it was stands in front, and is not much less than that of what is packed. */
function unpacks(bytes: Uint8Array, size: number): boolean {
  const plain = (bytes[9] ?? 0) * 2 ** 24 + (bytes[10] ?? 0) * 2 ** 16 + (bytes[11] ?? 0) * 2 ** 8 +
    (bytes[12] ?? 0);
  return plain + 64 > size && plain < BODY_BYTES_MAX && size > 13;
}

/** STARTUP is a map of texts that names CQL_VERSION. */
function startsWithMap(bytes: Uint8Array): boolean {
  return latin1Of(bytes, 9, 300).includes("CQL_VERSION");
}
