// SPDX-License-Identifier: Apache-2.0
// A request with the calls given to it so far, as a list that shares its beginnings: alternatives
// differ in their last calls only. The same calls of the same request are the same object.

import type { Progress } from "./progress.ts";

/** A request read by a service: by kind (its operation, say, as a number from 0). */
export interface ShapeRequest {
  readonly kind: number;
  readonly startUs: number;
  /** Infinity while it is open. */
  readonly endUs: number;
}

/** A request sent by it, to a callee (a number from 0). */
export interface ShapeCall {
  readonly callee: number;
  readonly startUs: number;
  readonly endUs: number;
}

export interface Path {
  /** Index of the request. */
  readonly request: number;
  readonly kind: number;
  readonly startUs: number;
  readonly endUs: number;
  /** Index of the last call; -1 while there is none. */
  readonly call: number;
  readonly callee: number;
  readonly before: Path | null;
  readonly callEndUs: number;
  /** Start of the last call, or of the request while there is none. */
  readonly lastStartUs: number;
  /** Latest end of all its calls, or the start of the request. */
  readonly lastEndUs: number;
  /** Callee of the call that ended then; the number of callees while there is none. */
  readonly lastEnded: number;
  readonly progress: Progress;
  /** What its calls cost. */
  readonly cost: number;
  /** How likely it is among those it competed with when the request ended. */
  share: number;
  /** The last that was tried to follow. */
  longer: Path | null;
}

export function startPath(request: number, of: ShapeRequest, progress: Progress): Path {
  const { kind, startUs, endUs } = of;
  return {
    request,
    kind,
    startUs,
    endUs,
    call: -1,
    callee: -1,
    before: null,
    callEndUs: startUs,
    lastStartUs: startUs,
    lastEndUs: startUs,
    lastEnded: progress.last,
    progress,
    cost: 0,
    share: 0,
    longer: null,
  };
}

/** When the latest of its calls to have ended by then did; the start of the request if none has. */
export function endOfLatestBy(path: Path, atUs: number): number {
  let latest = path.startUs;
  for (let at: Path | null = path; at !== null && at.lastEndUs > latest; at = at.before) {
    if (at.callEndUs <= atUs && at.callEndUs > latest) latest = at.callEndUs;
  }
  return latest;
}
