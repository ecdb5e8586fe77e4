// SPDX-License-Identifier: Apache-2.0
// What link remembers of one program: its works (requests read), calls (requests sent), threads.
//
// Times are numbers here (nanoseconds of boot time): exact for 104 days of uptime, to 2 ns beyond,
// and several times as fast as bigints.

import type { Exchange } from "../../model/exchange.ts";
import type { Candidate } from "../../model/link.ts";
import type { Reliability } from "./reliability.ts";

/** A request that the program read, and works on until it has answered: a possible parent. */
export interface Work {
  readonly isWork: true;
  readonly exchange: Exchange;
  /** Order of reading within the program, from 0. */
  readonly order: number;
  readonly thread: Thread;
  /** Turn of the thread in which the request was read. */
  readonly turn: number;
  /** End of the call that read the head of the request. */
  readonly readNs: number;
  /** End of the exchange; Infinity while it runs. */
  endNs: number;
  /** It ended without a proper response, so that what it started may outlive it. */
  cut: boolean;
  responded: boolean;
  /** Something was sent that follows from reading it. */
  used: boolean;
  /** Emissions so far. */
  emitted: number;
}

/** A request that the program sent: its parent is sought. */
export interface Call {
  readonly isWork: false;
  readonly exchange: Exchange;
  readonly thread: Thread;
  readonly turn: number;
  readonly sentNs: number;
  /** Works read before it was sent: only those of a lower order can be parents. */
  readonly orderBefore: number;
  /** Works open when it was sent. */
  readonly openBefore: number;
  /** The only one of them, if it was one: on such traffic rules learn how reliable they are. */
  readonly only: Work | null;
  /** The last thing its thread had read, null if that is over. */
  readonly before: Ingress | null;
  /** `before` was read in the turn of this call. */
  readonly sameTurn: boolean;
  /** ... on the connection of this call. */
  readonly isFreed: boolean;
  /** The oldest thing its thread had read that had led to nothing yet. */
  readonly waiting: Ingress | null;
  /** The only work that its thread had read and not answered. */
  readonly holder: Work | null;
  /** End of the exchange; Infinity while it runs. */
  doneNs: number;
  /** What its thread sent as a consequence of the response. */
  after: Work | Call | null;
  /** ... in the turn in which it was read. */
  afterSameTurn: boolean;
  /** Turn of its thread in which the response was read. */
  doneTurn: number;
  /** Something was sent that follows from reading the response. */
  used: boolean;
  /** What each rule points at, by rule index. */
  readonly points: (Ingress | null)[];
  /** Null while undecided. */
  decision: Decision | null;
  responded: boolean;
  /** Emissions so far. */
  emitted: number;
}

export interface Decision {
  readonly parent: Work | null;
  readonly confidence: number;
  readonly candidates: readonly Candidate[];
}

/** What a thread reads: a request, or the response to a call of its own. */
export type Ingress = Work | Call;

/** A thread, or a coroutine where it is known: whatever does one thing after the other. */
export interface Thread {
  last: Ingress | null;
  lastTurn: number;
  /** Works read here and not ended. */
  readonly open: Work[];
  /** Reads that had led to nothing when the next one came, in order. */
  readonly waiting: Ingress[];
}

export interface ProgramState {
  readonly threads: Map<number | bigint, Thread>;
  /** Works by order of reading, those ended early at the front removed. */
  readonly works: Work[];
  /** Order of works[0]. */
  firstOrder: number;
  nextOrder: number;
  open: number;
  /** Works by the ids that their bytes carry. */
  readonly byIdentity: Map<string, Work[]>;
  /** Calls that have ended and wait for a decision, by time of sending. */
  readonly pending: Call[];
  /** By rule index, see rules.ts. */
  readonly reliability: Reliability[];
  /** Latest event time seen. */
  nowNs: number;
  /** The process has exited. */
  gone: boolean;
}

export function startProgram(rulesCount: number): ProgramState {
  return {
    threads: new Map(),
    works: [],
    firstOrder: 0,
    nextOrder: 0,
    open: 0,
    byIdentity: new Map(),
    pending: [],
    reliability: Array.from({ length: rulesCount }, () => ({ right: 0, wrong: 0 })),
    nowNs: 0,
    gone: false,
  };
}
