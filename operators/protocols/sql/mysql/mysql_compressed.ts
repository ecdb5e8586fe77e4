// SPDX-License-Identifier: Apache-2.0
// The compressed protocol of MySQL: packets lie in units of their own, deflated or as they are.
//
//   unit : length u24le | sequence u8 | length inflated u24le, 0 = as it is | content
//
// A unit is read as a whole. What it makes goes out one by one: the first with all bytes but as
// many as there are others, each of those with one of the last bytes.

import { Cursor, Malformed } from "../../../wire/cursor.ts";
import type { Step } from "../../../wire/protocol.ts";
import { COMMANDS, DEFLATE } from "./mysql_packets.ts";
import { NOTHING, type State } from "./mysql_session.ts";
import { unpackZlib, unpackZstd } from "../../../wire/payload/unpack.ts";

/** Capability bits of the login. */
const COMPRESS = 0x20;
const ZSTD = 0x0400_0000;

/** So much of a unit is read, and so much of it inflated; the rest passes. */
const UNIT_BYTES_MAX = 65_536;
const INFLATED_BYTES_MAX = 1_048_576;
const STEPS_MAX = 64;

type Way = "toServer" | "toClient";

const EMPTY = new Uint8Array(0);

/** Reads one packet of the direction in question, as without compression. */
export type ReadPacket = (cursor: Cursor) => Step;

/** From the login on it is known; joined midway, the first command tells. */
export function isCompressed(cursor: Cursor, way: Way, state: State): boolean {
  if (state.loggingIn || state.phase === "login") return false;
  if (state.compressed !== null) return state.compressed;
  if (state.capabilities !== null && state.user !== "") {
    return state.compressed = (state.capabilities & (COMPRESS | ZSTD)) !== 0;
  }
  // The second packet of a connection is a login, and plain.
  if (way === "toClient" || (state.capabilities === null && cursor.peek(3) === 1)) return false;
  return state.compressed = looksCompressed(cursor);
}

/** The fifth byte of a plain command is its code, and none is 0 or deflated text. */
function looksCompressed(cursor: Cursor): boolean {
  const code = cursor.peek(4);
  if (code === 0) return true;
  if (cursor.remaining < 9) return COMMANDS[code] === undefined;
  return cursor.peek(7) === 0x78 && DEFLATE.has(cursor.peek(8));
}

export function readUnit(
  cursor: Cursor,
  way: Way,
  state: State,
  read: ReadPacket,
): Step {
  const lane = state.units[way];
  const next = lane.queue.shift();
  if (next !== undefined) {
    cursor.skip(1);
    return next;
  }
  const bytes = cursor.u24le();
  cursor.skip(1);
  const inflated = cursor.u24le();
  const kept = Math.min(bytes, UNIT_BYTES_MAX);
  const clipped = cursor.remaining >= kept && cursor.captured < kept;
  const content = cursor.bytes(clipped ? cursor.captured : kept);
  const start = cursor.position;
  const plain = inflated === 0 ? content : inflate(content, state);
  const steps = readPackets(plain, way, state, read);
  const cut = bytes - content.length;
  if (cut > 0) lane.pending = EMPTY;
  const [first = NOTHING, ...others] = steps;
  if (cut > others.length) others.push({ kind: "skip", bytes: cut - others.length });
  if (cut === 0 && others.length > 0) cursor.rewind(start - others.length);
  lane.queue = others;
  return first;
}

function inflate(content: Uint8Array, state: State): Uint8Array {
  return ((state.capabilities ?? 0) & ZSTD) !== 0
    ? unpackZstd(content, INFLATED_BYTES_MAX)
    : unpackZlib(content, INFLATED_BYTES_MAX);
}

/** All messages and ends of whole packets; a packet that goes on in the next unit is kept. */
function readPackets(
  plain: Uint8Array,
  way: Way,
  state: State,
  read: ReadPacket,
): Step[] {
  const lane = state.units[way];
  const bytes = joined(lane.pending, plain);
  lane.pending = EMPTY;
  const steps: Step[] = [];
  let at = Math.min(lane.skip, bytes.length);
  lane.skip -= at;
  const cursor = new Cursor();
  while (at < bytes.length && steps.length < STEPS_MAX) {
    const left = bytes.length - at;
    const tail = way === "toServer" && state.tail > 0;
    const size = tail ? 0 : left < 4 ? 4 : 4 + sizeAt(bytes, at);
    if (size > left && size <= UNIT_BYTES_MAX) {
      lane.pending = bytes.slice(at);
      break;
    }
    cursor.reset(bytes, at, bytes.length, Number.MAX_SAFE_INTEGER);
    const step = read(cursor);
    if (step.kind === "message") steps.push({ kind: "message", message: step.message });
    else if (step.kind === "end") steps.push(step);
    else if (step.kind === "skip") cursor.skip(step.bytes);
    else if (step.kind === "switch") throw new Malformed("no other protocol inside a unit");
    if (cursor.position === 0 && step.kind === "nothing") break;
    at += cursor.position;
  }
  lane.skip += Math.max(0, at - bytes.length);
  return steps;
}

const sizeAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16;

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
