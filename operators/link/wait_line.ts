// SPDX-License-Identifier: Apache-2.0
// Keeps the line of those who wait for a connection of a pool in step. First in, first out holds of
// who really waits; with one too many in our line, or one too few, every later call would be given
// to the wrong one.
//
// Whose a call was shows when its response is followed by an answer. Where that tells several times
// in a row that the line is off by the same number of places, it is moved by as many.

import { likelyWaiting, owes } from "./consequences.ts";
import { beginOf, isOver } from "./origin.ts";
import type { Call, Ingress, ProgramState, Work } from "./program.ts";
import { lineOf, neighbour } from "./shape/line.ts";

/** By how many places the line of one kind of calls was seen to be off, and how often in a row. */
export interface Offset {
  places: number;
  seen: number;
  /** The line was moved then; calls sent before tell of how it was. */
  movedNs: number;
}

/** The response to a call was followed by the answer to this work. */
export function checkLine(call: Call, work: Work, program: ProgramState): void {
  if (call.origin?.by !== "waited") return;
  const places = placesOff(call, work, program);
  if (places === null) return;
  let offset = program.offsets.get(call.kind);
  if (offset === undefined) {
    offset = { places: 0, seen: 0, movedNs: -Infinity };
    program.offsets.set(call.kind, offset);
  }
  if (call.sentNs <= offset.movedNs) return;
  offset.seen = offset.places === places ? offset.seen + 1 : 1;
  offset.places = places;
  if (places === 0 || offset.seen < seenMin) return;
  if (places > 0) passOver(call, places, program);
  else putBack(call, -places, program);
  offset.movedNs = program.nowNs;
  offset.seen = 0;
}

/** How many places after the one that the call was given to, or before it, its own is. */
function placesOff(call: Call, work: Work, program: ProgramState): number | null {
  if (isOf(call.origin?.from, work)) return 0;
  const line = lineOf(call, program.lines);
  let later = 0;
  let earlier = 0;
  for (let i = 1; i <= placesMax; i++) {
    const after = neighbour(call, i, line);
    if (after?.origin?.by === "waited") {
      later++;
      if (isOf(after.origin.from, work)) return later;
    }
    const before = neighbour(call, -i, line);
    if (before?.origin?.by === "waited") {
      earlier++;
      if (isOf(before.origin.from, work)) return -earlier;
    }
  }
  for (const ingress of call.thread.waiting) {
    if (!isDue(ingress, call, program)) continue;
    later++;
    if (isOf(ingress, work)) return later;
    if (later > placesMax) return null;
  }
  return null;
}

/** Those who head the line have had their call. */
function passOver(call: Call, places: number, program: ProgramState): void {
  let left = places;
  call.thread.waiting = call.thread.waiting.filter((ingress) =>
    left === 0 || !isDue(ingress, call, program) || left-- === 0
  );
}

/** Those who were taken out of the line last wait still. */
function putBack({ kind, isFresh, thread }: Call, places: number, program: ProgramState): void {
  const back: Ingress[] = [];
  const { calls } = lineOf({ kind, isFresh }, program.lines);
  for (let i = calls.length - 1; i >= 0 && back.length < places; i--) {
    const origin = calls[i]?.origin;
    if (origin?.by !== "waited") continue;
    const at = origin.from.sent.lastIndexOf(kind);
    if (at >= 0) origin.from.sent.splice(at, 1);
    back.push(origin.from);
  }
  thread.waiting = [...back.reverse(), ...thread.waiting.filter((each) => !back.includes(each))];
}

function isDue(ingress: Ingress, { kind }: Call, { consequences }: ProgramState): boolean {
  return !isOver(ingress) && owes(ingress, kind, consequences) >= likelyWaiting;
}

function isOf(ingress: Ingress | undefined, work: Work): boolean {
  return ingress !== undefined && (ingress.isWork ? ingress : beginOf(ingress)) === work;
}

/** A line further off is not moved: the answer tells little about a line as long as that. */
const placesMax = 8;

/** So many calls in a row must tell the same. */
const seenMin = 4;
