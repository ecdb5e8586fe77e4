// SPDX-License-Identifier: Apache-2.0
// Segments of a compressed connection of version 5, each unpacked by itself.
//
//   head   : 40 bits, little endian (17 bytes packed, 17 bytes unpacked, 1 self-contained)
//            | crc u24 | LZ4 | crc u32
//   unpacked 0: the payload is as it is. An envelope that is no more than begun in a segment goes
//   on in the next ones, which are not self-contained.
//
// What a segment makes goes out one by one: the first with all bytes but as many as there are
// others, each of those with one of the last bytes.

import { attempt } from "../../../wire/attempt.ts";
import { Cursor } from "../../../wire/cursor.ts";
import type { Step } from "../../../wire/protocol.ts";
import { unpackLz4 } from "../../../wire/payload/unpack.ts";
import type { Lane } from "./cassandra_session.ts";

const HEAD_BYTES = 8, CRC_BYTES = 4, ENVELOPE_HEAD_BYTES = 9;
const STEPS_MAX = 64;
const NOTHING: Step = { kind: "nothing" };
const END: Step = { kind: "end" };

/** Reads one envelope of which `room` bytes at most lie ahead. */
export type ReadEnvelope = (cursor: Cursor, room: number) => Step;

export function readPacked(cursor: Cursor, lane: Lane, read: ReadEnvelope): Step {
  const next = lane.queue.shift();
  if (next !== undefined) {
    cursor.skip(1);
    return next;
  }
  const low = cursor.u24le();
  const high = cursor.u16le();
  cursor.skip(HEAD_BYTES - 5);
  const packedBytes = low & 0x1ffff;
  const plainBytes = low >>> 17 | (high & 0x3ff) << 7;
  const start = cursor.position;
  cursor.skip(packedBytes + CRC_BYTES);
  cursor.rewind(start);
  const packed = cursor.bytes(Math.min(packedBytes, cursor.captured));
  const plain = plainBytes === 0 ? packed : unpackLz4(packed, plainBytes);
  const goesOn = (high >>> 10 & 1) === 0 && lane.tail > 0;
  const size = plainBytes === 0 ? packedBytes : plainBytes;
  const [first = NOTHING, ...others] = goesOn
    ? passOn(lane, size)
    : readEnvelopes(plain, size, Math.min(STEPS_MAX, packedBytes), lane, read);
  lane.queue = others;
  cursor.rewind(start);
  cursor.skip(packedBytes + CRC_BYTES - others.length);
  return first;
}

/** More of an envelope that was begun before. */
function passOn(lane: Lane, bytes: number): Step[] {
  lane.tail = Math.max(0, lane.tail - bytes);
  return lane.tail === 0 ? [END] : [];
}

function readEnvelopes(
  plain: Uint8Array,
  size: number,
  stepsMax: number,
  lane: Lane,
  read: ReadEnvelope,
): Step[] {
  const steps: Step[] = [];
  const cursor = new Cursor();
  let at = 0;
  lane.tail = 0;
  attempt(() => {
    while (size - at >= ENVELOPE_HEAD_BYTES && lane.tail === 0 && steps.length < stepsMax) {
      cursor.reset(plain, at, plain.length, size);
      const step = read(cursor, size - at);
      if (step.kind === "message") steps.push({ kind: "message", message: step.message });
      at += cursor.position;
    }
  });
  return steps;
}
