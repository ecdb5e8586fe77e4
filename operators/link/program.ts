// SPDX-License-Identifier: Apache-2.0
// What link remembers of one program: its works (requests read), calls (requests sent), threads.
//
// Times are numbers here (nanoseconds of boot time): exact for 104 days of uptime, to 2 ns beyond,
// and several times as fast as bigints.

import type { Exchange } from "../../model/exchange.ts";
import type { Candidate } from "../../model/link.ts";
import type { AtOnce } from "./callbacks/at_once.ts";
import type { Batches, TurnSoFar } from "./batches.ts";
import type { Sent } from "./callbacks/between.ts";
import { type Callbacks, startCallbacks } from "./callbacks/callbacks.ts";
import { CONTESTS } from "./trust/crowd.ts";
import { type Consequences, startConsequences } from "./consequences.ts";
import { type Contexts, startContexts } from "./coroutines/contexts.ts";
import { type Coroutines, startCoroutines } from "./coroutines/lineage.ts";
import { startStreams, type Streams } from "./coroutines/streams.ts";
import { startTasks, type Tasks } from "./coroutines/tasks.ts";
import { type Delays, startDelays } from "./delays.ts";
import { type Deliveries, startDeliveries } from "./queues/deliveries.ts";
import { type Parcels, startParcels } from "./queues/parcels.ts";
import { type Openings, startOpenings } from "./events/connect.ts";
import type { Reliability } from "./trust/reliability.ts";
import type { Repertoire } from "./trust/repertoire.ts";
import type { Unowned } from "./trust/unowned.ts";
import { type Gaps, startGaps } from "./shape/gaps.ts";
import { type Flow, startFlow } from "./shape/flow.ts";
import type { Doubts } from "./shape/rivals.ts";
import { type Lines, startLines } from "./shape/line.ts";
import type { Offset } from "./wait_line.ts";
import type { Pool } from "./workers/pool.ts";
import type { Waking } from "./workers/wakes.ts";

/** A request that the program read, and works on until it has answered: a possible parent. */
export interface Work {
  readonly isWork: true;
  readonly exchange: Exchange;
  /** See consequences.ts. */
  readonly kind: number;
  /** Order of reading within the program, from 0. */
  readonly order: number;
  /** Who has read it, or taken it over since. */
  thread: Thread;
  /** It was taken over by the coroutine that the source names. */
  isTaken: boolean;
  /** The coroutine that worked on it is done with it. */
  isServed: boolean;
  /** Turn of the thread in which the request was read. */
  readonly turn: number;
  /** End of the call that read the head of the request. */
  readonly readNs: number;
  /** When it was taken up; Infinity while an earlier request of its connection is in hand. */
  beganNs: number;
  /** The same call read the head of another one: what follows at once may follow from either. */
  readWithOthers: boolean;
  /** End of the exchange; Infinity while it runs. */
  endNs: number;
  /** It ended without a proper response, so that what it started may outlive it. */
  cut: boolean;
  responded: boolean;
  /** Kinds of what was sent that follows from reading it. */
  readonly sent: number[];
  /** No other work was open while it was. */
  alone: boolean;
  /** While it is alone: what was read for it, itself included. */
  readonly trail: Ingress[];
  /** Calls decided to be its children before it ended: rules learn from them at its end. */
  readonly children: Call[];
  /** Calls of which some rule has said, after they ended, that they are its children. */
  readonly claimed: Call[];
  /** The work as what rules lead to. */
  asTarget: Target | null;
  /** How crowded the program was when it was read. */
  readonly crowd: number;
  /** Calls that are given to it for the time being, by the time of sending; see shape/place.ts. */
  story: Call[];
  /** How often that has changed. */
  placings: number;
  /** How sure it is, as was found last. */
  doubts: Doubts | null;
  /** Start of the answer, and who wrote it; Infinity and null before, and if there was none. */
  answerNs: number;
  answerThread: Thread | null;
  /** Emissions so far. */
  emitted: number;
}

/** A request that the program sent: its parent is sought. */
export interface Call {
  readonly isWork: false;
  readonly exchange: Exchange;
  readonly kind: number;
  readonly thread: Thread;
  readonly sentNs: number;
  /** Works read before it was sent: only those of a lower order can be parents. */
  readonly orderBefore: number;
  /** Works open when it was sent. */
  readonly openBefore: number;
  /** The only one of them, if it was one: on such traffic rules learn how reliable they are. */
  only: Work | null;
  /** What its thread had read last, if that was a request. */
  lastRequest: Work | null;
  /** The only work that its thread had read and not answered, or the first in line. */
  holder: Work | null;
  /** The work of the coroutine that sent it, where the source tells coroutines apart. */
  told: Work | null;
  /** How the read that it follows from was found; null if none was. */
  origin: Origin | null;
  /** What its thread sent as a consequence of the response. */
  after: Work | Call | null;
  /** How that was found, if it is an answer. */
  afterBy: "between" | "same_turn" | "due" | "due_first" | "later";
  /** How many reads lie between the work and it, along what it follows from; 15 for more. */
  readonly step: number;
  /** The work that its thread finished next, if the thread did nothing else in between. */
  finished: Work | null;
  /** The oldest work that had no call yet, if this is the first call of a worker's task. */
  readonly handed: Work | null;
  /** The work answered next by a thread that reads requests, if this was the oldest to be. */
  handedBack: Work | null;
  /** The request of the thread that was woken first when the response had been read. */
  wakes: Work | null;
  /** What its thread was woken for, if it was since it last read something. */
  wokenFor: Ingress | null;
  /** Whose it was, if those who wait for workers keep to their line; see workers/pool.ts. */
  inLine: Work | null;
  /** Weight of courses that were left out, and said otherwise. */
  doubted: number;
  /** An answer soon after it showed that the line was not understood. */
  isSuspect: boolean;
  /** Sent on a connection that was opened for it. */
  readonly isFresh: boolean;
  /** Order of the oldest work that was open when it was sent. */
  readonly oldestBefore: number;
  /** How many requests could have sent it, as far as is known; see crowd.ts. */
  contest: number;
  /** Number of its place among calls of its kind; see shape/line.ts. */
  place: number;
  /** The work that it is given to for the time being. */
  placed: Work | null;
  /** It stays there. */
  isFixed: boolean;
  /** What the rules said last, while it is undecided. */
  weighed: Decision | null;
  /** Its parent by its story alone, if that is sure; rules learn from it. */
  verdict: Work | null;
  /** The thread that read the response. */
  doneThread: Thread | null;
  /** Turn of its thread in which the response was read. */
  doneTurn: number;
  /** End of the exchange; Infinity while it runs. */
  doneNs: number;
  responded: boolean;
  /** Kinds of what was sent that follows from reading the response. */
  readonly sent: number[];
  /** Null while undecided. */
  decision: Decision | null;
  /** Its likely parent while it is undecided. */
  guess: Work | null;
  /** The same by what it follows from alone, which may be wrong as a whole line may be off. */
  likely: Work | null;
  /**
   * Rules have learned from it: that something follows from it is still of interest, but not what;
   * `after` is then the call itself, because chains of calls would keep each other in memory.
   */
  learned: boolean;
  /** Emissions so far. */
  emitted: number;
}

/** What a thread reads: a request, or the response to a call of its own. */
export type Ingress = Work | Call;

/** The read that a call follows from, by the turns of its thread; see evidence/turn.ts. */
export interface Origin {
  readonly from: Ingress;
  /**
   * "due": the only read after which it was due in this turn. "due_first": the oldest of several.
   * "at_once": read just before in the same turn. "worker": read just before by a thread that reads
   * no requests. "earlier": the oldest read of the turns before that led to nothing yet. "waited":
   * the oldest such read of all, on a connection just freed. "opened": on one just opened.
   * "batched": the first of several read one after the other in this turn, that led to nothing.
   * "flushed": the same of all of this turn. "connected": on one whose opening follows at once.
   * "together": the first of several read in one go that led to nothing. "matched": any of these,
   * and as many were sent as the reads of that turn lead to.
   * "between": the same as "at_once", and something else was read later in that turn.
   */
  readonly by:
    | "at_once"
    | "between"
    | "connected"
    | "worker"
    | "due"
    | "due_first"
    | "earlier"
    | "waited"
    | "opened"
    | "flushed"
    | "batched"
    | "together"
    | "matched";
}

export interface Decision {
  readonly parent: Work | null;
  readonly confidence: number;
  readonly candidates: readonly Candidate[];
  /** Index of the rule that speaks for the parent; -1 if none does. */
  readonly rule: number;
  /** It rests on a rule of order, directly or through other calls. */
  readonly byOrder: boolean;
  /** Span of what that rule points at; not the thing itself, which would be kept in memory. */
  readonly fromId: bigint | null;
  /** The parent as what other calls' rules lead to. */
  readonly asTarget: Target | null;
}

/** A work, and the probability that what a rule points at leads to it. */
export interface Target {
  readonly work: Work;
  readonly certainty: number;
  /** It rests on a rule of order, which never decides at once. */
  readonly byOrder: boolean;
}

/** A thread, or a coroutine where it is known: whatever does one thing after the other. */
export interface Thread {
  last: Ingress | null;
  lastTurn: number;
  readonly soFar: TurnSoFar;
  /** What it has read in one go with `last`, in order, itself included; and when. */
  together: Ingress[];
  togetherNs: number;
  /** It has read a request at least once. */
  readsRequests: boolean;
  /** Works read here and not ended. */
  readonly open: Work[];
  /** A coroutine: works begun here that have ended, for a while; see coroutines/in_hand.ts. */
  readonly served: Work[];
  readonly isCoroutine: boolean;
  /** It works on several requests at once. */
  isCrossed: boolean;
  /** Reads that had not led to all that was due when the next one came, in order. */
  waiting: Ingress[];
  /** What it has sent since it last read something; see callbacks/between.ts. */
  readonly between: Sent[];
  /** Kinds of all that it has sent since then. */
  readonly acts: number[];
  /** Calls since then, in the same turn; see callbacks/flush.ts. */
  readonly flush: Call[];
  /** What it has read in this turn. */
  readonly turnReads: Ingress[];
  /** Calls sent since it last finished something or read a request. */
  task: Call[];
  /** See workers/wakes.ts. */
  woken: Waking | null;
}

export interface ProgramState {
  readonly threads: Map<number | bigint, Thread>;
  readonly coroutines: Coroutines;
  readonly streams: Streams;
  readonly tasks: Tasks;
  readonly contexts: Contexts;
  /** Works that coroutines have ended, in order. */
  readonly served: Work[];
  /** Works by order of reading, those ended early at the front removed. */
  readonly works: Work[];
  /** Order of works[0]. */
  firstOrder: number;
  nextOrder: number;
  /** Order of reading from which works are looked through for those that may be forgotten. */
  nextForgetting: number;
  open: number;
  /** Works by the ids that their bytes carry. */
  readonly byIdentity: Map<string, Work[]>;
  /** It has read requests and sent one; see one_sided.ts. */
  hasAsked: boolean;
  /** The last call on each connection, by its dense index. */
  readonly lastOn: Map<number, Call>;
  /** Works that have no call yet, in order of reading. */
  unstarted: Work[];
  /** Answers written by threads that read no requests: such threads tell when a task is over. */
  tasksFinished: number;
  /** From the responses that such threads read to what they did next. */
  readonly taskGaps: Gaps;
  /** Calls of workers after whose response an answer is due, which another thread may write. */
  unanswered: Call[];
  /** Null until a thread that reads no requests has sent one. */
  pool: Pool | null;
  /** Calls that have ended and wait for a decision, in the order in which they ended. */
  pending: Call[];
  /** Calls of which it has just shown what their responses led to; see callbacks/between.ts. */
  readonly confirmed: Call[];
  /** Order of the oldest work that is open; none is older. */
  oldestOpen: number;
  /** By rule index, see rules.ts, and by how contested a call was, see crowd.ts. */
  readonly reliability: (readonly Reliability[])[];
  readonly flow: Flow;
  readonly repertoire: Repertoire;
  /** When a call was last sent among so many that stories were not told apart. */
  crowdedNs: number;
  readonly lines: Lines;
  /** By kind of call; see wait_line.ts. */
  readonly offsets: Map<number, Offset>;
  /** Calls that are nobody's for the time being. */
  readonly strays: Set<Call>;
  /** Divisions that may be tried, refilled as event time goes on; see shape/rivals.ts. */
  divisionsLeft: number;
  refilledNs: number;
  /** Works that have ended and from whose stories nothing was learned yet. */
  ended: Work[];
  readonly openings: Openings;
  /** By kind of call, how often one was sent together with the one before. */
  readonly gathered: Map<number, number>;
  readonly consequences: Consequences;
  readonly delays: Delays;
  readonly batches: Batches;
  readonly callbacks: Callbacks;
  readonly atOnce: AtOnce;
  readonly unowned: Unowned;
  /** Messages delivered to it, and those that it passes on. */
  readonly deliveries: Deliveries;
  readonly parcels: Parcels;
  /** Latest event time seen. */
  nowNs: number;
  /** The process has exited. */
  gone: boolean;
}

export function startProgram(rulesCount: number): ProgramState {
  return {
    threads: new Map(),
    coroutines: startCoroutines(),
    streams: startStreams(),
    tasks: startTasks(),
    contexts: startContexts(),
    served: [],
    works: [],
    firstOrder: 0,
    nextOrder: 0,
    nextForgetting: 0,
    open: 0,
    byIdentity: new Map(),
    hasAsked: false,
    lastOn: new Map(),
    unstarted: [],
    tasksFinished: 0,
    taskGaps: startGaps(),
    unanswered: [],
    pool: null,
    pending: [],
    confirmed: [],
    oldestOpen: 0,
    reliability: Array.from(
      { length: rulesCount },
      () => Array.from({ length: CONTESTS }, () => ({ right: 0, wrong: 0 })),
    ),
    flow: startFlow(),
    repertoire: new Map(),
    crowdedNs: -Infinity,
    lines: startLines(),
    offsets: new Map(),
    strays: new Set(),
    divisionsLeft: 0,
    refilledNs: -Infinity,
    ended: [],
    openings: startOpenings(),
    gathered: new Map(),
    consequences: startConsequences(),
    delays: startDelays(),
    callbacks: startCallbacks(),
    atOnce: new Map(),
    batches: { batched: 0, alternating: 0 },
    unowned: { idle: 0, alone: 0 },
    deliveries: startDeliveries(),
    parcels: startParcels(),
    nowNs: 0,
    gone: false,
  };
}
