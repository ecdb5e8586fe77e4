// SPDX-License-Identifier: Apache-2.0
// Boot time to Unix time, by readings of both clocks.
//
// The difference of the clocks is constant (boot time runs on while the host sleeps) until someone
// sets the time. So the line has pieces: a reading that differs by more than a millisecond starts
// a new one, and less is taken for noise of the reading.

import { MILLISECOND, type Nanos } from "../../model/time.ts";

/** A clock that is slewed by its daemon gets a new piece at each such difference as well. */
const STEP_NS = MILLISECOND;

/** Pieces kept; what lies before the first is converted by the first. */
const PIECES_MAX = 64;

interface Piece {
  readonly fromBootNs: Nanos;
  readonly offsetNs: Nanos;
}

export interface ClockLine {
  /** Takes a reading: realNs is Unix time at bootNs. Readings come in order. */
  read(bootNs: Nanos, realNs: Nanos): void;
  /** Unix time less boot time at that boot time; 0 before the first reading. */
  offsetNs(bootNs: Nanos): Nanos;
  readonly pieces: number;
}

export function clockLine(): ClockLine {
  const pieces: Piece[] = [];
  /** The newest piece, where nearly all conversions fall. */
  let newest: Piece = { fromBootNs: 0n, offsetNs: 0n };
  return {
    read(bootNs, realNs) {
      const offsetNs = realNs - bootNs;
      const difference = offsetNs - newest.offsetNs;
      if (pieces.length > 0 && difference <= STEP_NS && difference >= -STEP_NS) return;
      newest = { fromBootNs: bootNs, offsetNs };
      pieces.push(newest);
      if (pieces.length > PIECES_MAX) pieces.shift();
    },
    offsetNs(bootNs) {
      if (bootNs >= newest.fromBootNs) return newest.offsetNs;
      const piece = pieces.findLast(({ fromBootNs }) => fromBootNs <= bootNs) ?? pieces[0];
      return piece?.offsetNs ?? 0n;
    },
    get pieces() {
      return pieces.length;
    },
  };
}
