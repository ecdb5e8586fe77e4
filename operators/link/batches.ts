// SPDX-License-Identifier: Apache-2.0
// Whether a loop first reads all that is ready in a turn and then sends all that follows (HAProxy),
// or sends after each read (Node). In batches what is sent first follows from what was read first,
// else from what was read last.

import type { Ingress, ProgramState, Thread } from "./program.ts";

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
  /** What was read since something was last sent before a read, in order. */
  run: Ingress[];
  isRunOver: boolean;
}

export const startTurn = (): TurnSoFar => ({
  turn: -1,
  reads: 0,
  sends: 0,
  readAfterSend: false,
  run: [],
  isRunOver: false,
});

export function noteRead(
  ingress: Ingress,
  thread: Thread,
  turn: number,
  program: ProgramState,
): void {
  const { soFar } = thread;
  if (soFar.turn !== turn) turnOver(soFar, turn, program);
  soFar.reads++;
  if (soFar.isRunOver) soFar.run = [ingress];
  else if (soFar.run.length < runMax) soFar.run.push(ingress);
  soFar.isRunOver = false;
  if (soFar.sends > 0) soFar.readAfterSend = true;
}

export function noteSend(thread: Thread, turn: number, program: ProgramState): void {
  const { soFar } = thread;
  if (soFar.turn !== turn) turnOver(soFar, turn, program);
  soFar.sends++;
  soFar.isRunOver = true;
}

/** Reads of one turn, one after the other, that are told apart. */
const runMax = 256;

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
  soFar.isRunOver = true;
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
