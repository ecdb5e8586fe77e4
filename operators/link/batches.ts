// SPDX-License-Identifier: Apache-2.0
// Whether a loop first reads all that is ready in a turn and then sends all that follows (HAProxy),
// or sends after each read (Node). In batches what is sent first follows from what was read first,
// else from what was read last.

import type { ProgramState, Thread } from "./program.ts";

export interface Batches {
  batched: number;
  alternating: number;
}

/** The turn of a thread that is under way. */
export interface TurnSoFar {
  turn: number;
  reads: number;
  sends: number;
  readAfterSend: boolean;
}

export const startTurn = (): TurnSoFar => ({ turn: -1, reads: 0, sends: 0, readAfterSend: false });

export function noteRead(thread: Thread, turn: number, program: ProgramState): void {
  const { soFar } = thread;
  if (soFar.turn !== turn) turnOver(soFar, turn, program);
  soFar.reads++;
  if (soFar.sends > 0) soFar.readAfterSend = true;
}

export function noteSend(thread: Thread, turn: number, program: ProgramState): void {
  const { soFar } = thread;
  if (soFar.turn !== turn) turnOver(soFar, turn, program);
  soFar.sends++;
}

/** Only turns of several reads and sends tell. */
function turnOver(soFar: TurnSoFar, turn: number, { batches }: ProgramState): void {
  if (soFar.reads > 1 && soFar.sends > 1) {
    if (soFar.readAfterSend) batches.alternating++;
    else batches.batched++;
    if (batches.batched + batches.alternating > fadeFrom) {
      batches.batched /= 2;
      batches.alternating /= 2;
    }
  }
  soFar.turn = turn;
  soFar.reads = soFar.sends = 0;
  soFar.readAfterSend = false;
}

const fadeFrom = 512;

export function readsInBatches({ batches }: ProgramState): boolean {
  return batches.batched >= provenFrom &&
    batches.batched >= (batches.batched + batches.alternating) * shareFrom;
}

const provenFrom = 8;
const shareFrom = 0.95;
