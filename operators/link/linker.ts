// SPDX-License-Identifier: Apache-2.0
// Links the calls of one program: when each is decided, and what is told about it.

import type { ConnectFact, CoroutineFact } from "../../model/capture_record.ts";
import { LIMITS } from "../../model/limits.ts";
import { forgetStream } from "./coroutines/streams.ts";
import { isOpen } from "./coroutines/tasks.ts";
import { writeResponse } from "./events/answer.ts";
import { readResponse, sendRequest } from "./events/call.ts";
import { noteConnect } from "./events/connect.ts";
import { noteCoroutine } from "./events/coroutine.ts";
import { endWork, readRequest } from "./events/request.ts";
import { learnFrom } from "./trust/learn.ts";
import type { Exchange } from "../../model/exchange.ts";
import type { Candidate } from "../../model/link.ts";
import type { MessageSeen } from "../../model/message.ts";
import { type Call, type Decision, startProgram, type Work } from "./program.ts";
import { asksForMessages, exceptForMessages } from "./queues/asks_for_messages.ts";
import { noteFollowing, overBy, removeDelivery } from "./queues/deliveries.ts";
import { noteMessage, overThereby, passedOn } from "./queues/messages.ts";
import { finishBatch, joinBatch } from "./queues/one_by_one.ts";
import { letRipen, ripe, type Ripening } from "./queues/ripening.ts";
import { isUnasked, onlyServes } from "./one_sided.ts";
import { RULES } from "./rules.ts";
import { oddity } from "./shape/flow.ts";
import { contestFor } from "./shape/contenders.ts";
import { judge } from "./shape/judge.ts";
import { own } from "./shape/owner.ts";
import { fix, learnPlaced, noteStory, place } from "./shape/place.ts";
import { doubtOf, settleStory } from "./shape/rivals.ts";
import { askRules, undecided, weigh } from "./weigh.ts";
import { crowdOf } from "./trust/crowd.ts";
import { decisiveFrom, isDecisive } from "./trust/decisive.ts";
import { surenessOfPresence } from "./trust/unowned.ts";
import { callInPool, hearInPool, joinPool, leavePool, ownerInPool } from "./workers/pool.ts";
import { noteWake } from "./workers/wakes.ts";
import { forgetWorks, oldestOpen } from "./works.ts";

export interface LinkerOutputs {
  /** The call, with its decision if it has one. */
  readonly emit: (call: Call) => void;
  /** The call has ended undecided; it may be emitted later, decided or not. */
  readonly hold: (call: Call) => void;
  /** So many open works were given up. */
  readonly forget: (count: number) => void;
}

/** From this confidence on, what follows a response may be judged by its likely parent. */
const guessFrom = 0.8;

const windowNs = LIMITS.linkWindowMs.value * 1e6;

/** Rules learn from so many calls of a program, then from one in so many. */
const learnedFromAll = 1_000;
const learnedEach = 4;

/** Calls of one work from which rules learn when it ends. */
const childrenMax = 256;

/** A class for its state: what is pending is undecided, and all that is decided was emitted. */
export class Linker {
  readonly #program = startProgram(RULES.length);
  readonly #out: LinkerOutputs;
  #seen = 0;
  readonly #ripening: Ripening = [];

  constructor(out: LinkerOutputs) {
    this.#out = out;
  }

  get pendingCount(): number {
    return this.#program.pending.length;
  }

  /** Time alone may decide something. */
  get isWaiting(): boolean {
    return this.pendingCount > 0 || this.#ripening.length > 0 ||
      this.#program.deliveries.open.length > 0;
  }

  get openCount(): number {
    return this.#program.open;
  }

  /** Null if there is no request to begin with. */
  open(exchange: Exchange): Work | Call | null {
    const seen = exchange.request;
    if (seen === null) return null;
    if (seen.direction === "egress") return this.#send(exchange, seen);
    const program = this.#program;
    for (const work of overThereby(seen, program)) this.#end(work, program.nowNs);
    const work = readRequest(exchange, seen, program);
    joinPool(work, program);
    this.#decideConfirmed();
    const tooOld = noteMessage(work, seen, program);
    if (tooOld !== null) this.#end(tooOld, program.nowNs);
    this.#forget();
    return work;
  }

  /** What a broker sends on, or a consumer says of a message: what that follows from. */
  passOn(exchange: Exchange): readonly Candidate[] {
    return passedOn(exchange, this.#program);
  }

  #send(exchange: Exchange, seen: MessageSeen): Call {
    const program = this.#program;
    for (const work of overThereby(seen, program)) this.#end(work, program.nowNs);
    const call = sendRequest(exchange, seen, program);
    if (isUnasked(call)) return call;
    callInPool(call, program);
    if (joinBatch(call, program.deliveries)) return call;
    noteFollowing(call, program.deliveries);
    if (call.openBefore === 0) return call;
    call.contest = contestFor(call, call.openBefore <= storiesMax, program);
    if (call.openBefore > storiesMax) {
      program.crowdedNs = call.sentNs;
      return call;
    }
    const decision = weigh(call, askRules(call, program), program, true);
    if (decision.confidence >= guessFrom) own(call, decision.parent, program);
    else if (!asksForMessages(call)) place(call, program);
    return call;
  }

  respond(entry: Work | Call): void {
    const { response } = entry.exchange;
    if (response === null || entry.responded) return;
    entry.responded = true;
    if (entry.isWork) {
      writeResponse(entry, response, this.#program);
      leavePool(entry, entry.answerThread, this.#program);
    } else {
      readResponse(entry, response, this.#program);
      this.#decideConfirmed();
    }
  }

  /** A work ends with its exchange, unless it is a message, which nobody answers. */
  closeWork(work: Work): void {
    if (!this.#program.deliveries.works.has(work)) this.#end(work, Number(work.exchange.endNs));
  }

  #end(work: Work, endNs: number): void {
    const program = this.#program;
    if (program.deliveries.works.has(work)) {
      this.#divide(work);
      removeDelivery(work, program);
    }
    const wasOldest = work.order === oldestOpen(program);
    endWork(work, program, endNs);
    if (!work.responded) leavePool(work, null, program);
    for (const call of work.children) this.#learn(call);
    if (program.pending.length > 0) {
      for (const call of work.claimed) this.#decideClaimed(call);
      if (work.readNs > program.crowdedNs) {
        settleStory(work, program);
      }
      if (wasOldest) this.#decideEnclosed();
    }
    if (!onlyServes(program)) this.#learnStories(work);
    for (const calls of [work.trail, work.children, work.claimed]) {
      if (calls.length > 0) calls.length = 0;
    }
    this.#forget();
  }

  closeCall(call: Call): void {
    const program = this.#program;
    call.doneNs = Number(call.exchange.endNs);
    forgetStream(call, program);
    if (isUnasked(call)) return this.#settleUnasked(call);
    hearInPool(call, program);
    if (program.deliveries.batched.has(call) || isOpen(call, program)) {
      this.#wait(call);
      return;
    }
    const answers = askRules(call, program);
    const decision = exceptForMessages(call, weigh(call, answers, program, true));
    if (call.openBefore === 0 || (isDecisive(decision) && this.#fitsStory(call, decision))) {
      this.#settleFixed(call, decision);
      return;
    }
    call.weighed = decision;
    if (decision.confidence >= guessFrom) call.guess = decision.parent;
    this.#wait(call);
  }

  #wait(call: Call): void {
    const { pending } = this.#program;
    pending.push(call);
    this.#out.hold(call);
    if (pending.length <= LIMITS.linkPending.value) return;
    const oldest = pending.shift();
    if (oldest !== undefined && oldest.decision === null) this.#decide(oldest);
  }

  /** Event time has come this far: what waits for longer than the window is decided. */
  advance(nowNs: number): void {
    const program = this.#program;
    if (nowNs > program.nowNs) program.nowNs = nowNs;
    for (const work of overBy(program)) this.#end(work, program.nowNs);
    if (this.#ripening.length > 0) this.#ripen(program.nowNs);
    const first = program.pending[0];
    if (first === undefined || first.doneNs + windowNs >= nowNs) return;
    this.#decideWhere((call) => call.doneNs + windowNs < nowNs);
  }

  decideAll(): void {
    const { deliveries, nowNs } = this.#program;
    for (const { work } of deliveries.open) this.#end(work, nowNs);
    this.#decideWhere(() => true);
    this.#ripen(Infinity);
  }

  noteCoroutine(fact: CoroutineFact): void {
    noteCoroutine(fact, this.#program);
  }

  noteConnect(fact: ConnectFact): void {
    noteConnect(fact, this.#program);
  }

  /** A thread woke another one. */
  noteWake(tids: { readonly tid: number; readonly wokenTid: number }, atNs: number): void {
    noteWake(tids, atNs, this.#program);
  }

  forgetThread(tid: number): void {
    const thread = this.#program.threads.get(tid);
    if (thread !== undefined) this.#program.pool?.free.delete(thread);
    this.#program.threads.delete(tid);
  }

  /** Its thread is done with the messages that it held. */
  #divide({ thread }: Work): void {
    for (const [call, decision] of finishBatch(thread, this.#program.deliveries)) {
      if (call.decision !== null) continue;
      call.decision = decision;
      // What tells messages apart says nothing of how right other rules are.
      call.learned = true;
      fix(call, decision.parent, this.#program);
      this.#out.emit(call);
    }
  }

  /** Decisions that rules have proven right since are told again. */
  #ripen(nowNs: number): void {
    for (const { call, decision } of ripe(this.#ripening, nowNs, this.#program)) {
      call.decision = decision;
      this.#out.emit(call);
    }
  }

  #forget(): void {
    const givenUp = forgetWorks(this.#program);
    if (givenUp > 0) this.#out.forget(givenUp);
  }

  /** There is nobody whose it could be. */
  #settleUnasked(call: Call): void {
    call.decision = undecided;
    this.#learn(call);
    this.#out.emit(call);
  }

  #settleFixed(call: Call, decision: Decision): void {
    fix(call, decision.parent, this.#program);
    this.#settle(call, decision);
  }

  #settle(call: Call, decision: Decision): void {
    call.decision = decision;
    call.weighed = null;
    if (call.placed !== null) call.placed.placings++;
    letRipen(call, decision, this.#ripening);
    if (decision.confidence >= guessFrom) own(call, decision.parent, this.#program);
    const { parent } = decision;
    const isEarly = parent !== null && parent.endNs === Infinity;
    if (isEarly && parent.children.length < childrenMax) parent.children.push(call);
    else this.#learn(call);
    this.#out.emit(call);
  }

  /** What is well known is learned from a part of the calls only, to save time. */
  #learn(call: Call): void {
    const isLearned = ++this.#seen <= learnedFromAll || this.#seen % learnedEach === 0;
    if (isLearned && !isUnasked(call)) {
      learnFrom(call, askRules(call, this.#program), this.#program);
    }
    // Calls that follow from each other would otherwise keep one another, from first to last.
    call.learned = true;
    call.verdict = null;
    call.origin = null;
    call.wokenFor = null;
    call.after = null;
  }

  #decide(call: Call): void {
    this.#settle(call, exceptForMessages(call, this.#judge(call)));
  }

  /** Where stories are told, one that is likelier with another parent asks for a second look. */
  #fitsStory({ placed }: Call, { parent, rule }: Decision): boolean {
    if (placed === null || placed === parent || RULES[rule]?.inCrowd !== "little") return true;
    return placed.readNs <= this.#program.crowdedNs;
  }

  /** Rules and stories together. */
  #judge(call: Call): Decision {
    const program = this.#program;
    call.inLine = ownerInPool(call, program);
    call.weighed = weigh(call, askRules(call, program), program, false);
    if (call.only !== null && call.weighed.parent === call.only) fix(call, call.only, program);
    const { parent, confidence } = call.weighed;
    const isInLine = parent !== null && parent === call.inLine && confidence >= decisiveFrom;
    if (call.isFixed || isInLine || (parent !== null && parent === call.wakes)) return call.weighed;
    if (surenessOfPresence(program) < decisiveFrom) return call.weighed;
    const isTold = call.placed !== null && call.placed.readNs > program.crowdedNs;
    const doubt = isTold ? doubtOf(call, program) : null;
    if (doubt === null) return call.weighed;
    const odd = oddity(crowdOf(call.openBefore), program.flow);
    const isSure = doubt.storyMargin >= verdictMargin && odd < oddityMax;
    call.verdict = isSure ? call.placed : null;
    return judge(call, call.weighed, doubt, odd, program);
  }

  /** What was done for requests all of whose calls are decided. */
  #learnStories(work: Work): void {
    const program = this.#program;
    program.ended.push(work);
    let learned = 0;
    for (const ended of program.ended) {
      const isOpen = ended.story.some(({ decision }) => decision === null);
      if (isOpen && program.ended.length - learned <= endedMax) break;
      if (ended.readNs > program.crowdedNs) noteStory(ended, program);
      if (!isOpen) learnPlaced(ended, program);
      ended.doubts = null;
      learned++;
    }
    if (learned > 0) program.ended.splice(0, learned);
  }

  /** A rule has spoken late: it, and then the calls that it followed from, may be decided now. */
  #decideClaimed(claimed: Call): void {
    let call: Call | null = claimed;
    for (let i = 0; call !== null && call.decision === null && i < chainMax; i++) {
      if (call.doneNs === Infinity) return;
      const decision: Decision = weigh(call, askRules(call, this.#program), this.#program, true);
      if (!isDecisive(decision) || !this.#fitsStory(call, decision)) return;
      const from: Work | Call | null = call.origin?.from ?? null;
      this.#settleFixed(call, decision);
      call = from === null || from.isWork ? null : from;
    }
  }

  /** What their responses led to was sent between two reads. */
  #decideConfirmed(): void {
    const { confirmed } = this.#program;
    if (confirmed.length === 0) return;
    for (const call of confirmed) this.#decideClaimed(call);
    confirmed.length = 0;
  }

  /** Calls of which no possible parent is open any more. */
  #decideEnclosed(): void {
    const oldest = oldestOpen(this.#program);
    this.#decideWhere((call) => call.orderBefore <= oldest);
  }

  /** In the order in which they ended. */
  #decideWhere(isDue: (call: Call) => boolean): void {
    const { pending, deliveries } = this.#program;
    const kept: Call[] = [];
    for (const call of pending) {
      if (call.decision !== null) continue;
      if (isDue(call) && !deliveries.batched.has(call)) this.#decide(call);
      else kept.push(call);
    }
    this.#program.pending = kept;
  }
}

/** Nor do they if so many stories are odd. */
const oddityMax = 0.05;

/** With more requests open than this, their stories are not told apart. */
const storiesMax = 16;

/** By so much a story must be likelier than any other for rules to learn from it. */
const verdictMargin = 8;

/** Ended works that wait for the decisions on their calls. */
const endedMax = 256;

/** Calls decided one after the other because one rule has spoken. */
const chainMax = 16;
