// SPDX-License-Identifier: Apache-2.0
// Frames with their length in front, of which only the head is read: the rest passes unread, and
// its last byte ends the message whose `more` was true.

import type { Cursor } from "./cursor.ts";
import type { Step, Way } from "./protocol.ts";

/** Bytes of a long frame still to pass, per direction. */
export interface Tails {
  toServer: number;
  toClient: number;
  unknown: number;
}

export const noTails = (): Tails => ({ toServer: 0, toClient: 0, unknown: 0 });

/** The rest of a long frame: all but its last byte is skipped, the last one ends the message. */
export function passTail(cursor: Cursor, way: Way, tails: Tails): Step | null {
  const tail = tails[way];
  if (tail === 0) return null;
  if (tail > 1) {
    tails[way] = 1;
    return { kind: "skip", bytes: tail - 1 };
  }
  cursor.skip(1);
  tails[way] = 0;
  return { kind: "end" };
}

/** Remembers what is left of the frame whose head was read as `step`. */
export function keepTail(tails: Tails, way: Way, step: Step, bytes: number): void {
  // A request or response settles the roles: its rest will be read with them known.
  const kind = step.kind === "message" ? step.message.kind : "oneway";
  const known = kind === "oneway" ? way : kind === "request" ? "toServer" : "toClient";
  tails[way === "unknown" ? known : way] = bytes;
}

/** For `lost`: nothing is left to pass. */
export function dropTail(tails: Tails, way: Way): void {
  tails[way] = 0;
}
