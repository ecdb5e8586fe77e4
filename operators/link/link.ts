// SPDX-License-Identifier: Apache-2.0
// Finds, inside each program, the request on whose behalf another request was sent.
//
// A request read is a work, a request sent is a call. Programs do not share state, so any
// interleaving of records that keeps the order within each program gives the same links. A call is
// decided when it ends if the evidence is decisive, else when every work it could belong to has
// ended, or when its window closes.

import type { Join, JoinOperator, Outputs } from "../../engine/operator.ts";
import type { Fact } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import type { Exchange, SessionEvent } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { Candidate } from "../../model/link.ts";
import type { LinkedExchange } from "../../model/linked_exchange.ts";
import { MILLISECOND, type Nanos } from "../../model/time.ts";
import { askRules, learnFrom, weigh } from "./decide.ts";
import {
  endWork,
  forgetWorks,
  readRequest,
  readResponse,
  sendRequest,
  writeResponse,
} from "./events.ts";
import { type Call, type Decision, type ProgramState, startProgram, type Work } from "./program.ts";
import { RULES } from "./rules.ts";

export const link: JoinOperator<SessionEvent, Fact, LinkedExchange, void, never, DropReason> = {
  name: "link",
  limits: [
    "programs",
    "openPerProgram",
    "linkPending",
    "linkThreads",
    "linkKinds",
    "linkWindowMs",
    "linkHoldMs",
  ],
  open: (_params, out) => openLink(out),
};

/** From this confidence on a call is decided when it ends, without waiting for more evidence. */
const decisiveFrom = 0.95;

/** A rule of order alone never decides at once: what the response leads to may tell better. */
function isDecisive({ confidence, rule }: Decision): boolean {
  return confidence >= decisiveFrom && RULES[rule]?.isOrder !== true;
}

/** From this confidence on, what follows a response may be judged by its likely parent. */
const guessFrom = 0.8;

const windowNs = LIMITS.linkWindowMs.value * 1e6;
const holdNs = BigInt(LIMITS.linkHoldMs.value) * MILLISECOND;

/** Calls of one work from which rules learn when it ends. */
const childrenMax = 256;

const none: readonly Candidate[] = [];

function openLink(out: Outputs<LinkedExchange, never, DropReason>): Join<SessionEvent, Fact> {
  const programs = new Map<number, ProgramState>();
  const entries = new Map<Exchange, Work | Call>();
  const waiting = new Set<ProgramState>();
  const unsent: Call[] = [];

  function emit(exchange: Exchange, candidates: readonly Candidate[], revision: number): void {
    out.emit({ exchange, candidates, revision });
  }

  function emitCall(call: Call): void {
    emit(call.exchange, call.decision?.candidates ?? none, call.emitted++);
  }

  function programOf(exchange: Exchange): ProgramState {
    const key = exchange.program.program;
    const known = programs.get(key);
    if (known !== undefined) return known;
    if (programs.size >= LIMITS.programs.value) forgetProgram();
    const program = startProgram(RULES.length);
    programs.set(key, program);
    return program;
  }

  function forgetProgram(): void {
    const oldest = programs.entries().next();
    if (oldest.done) return;
    const [key, program] = oldest.value;
    decideAll(program);
    if (program.open > 0) out.drop("link_full", program.open);
    programs.delete(key);
  }

  function opened(exchange: Exchange, program: ProgramState): Work | Call | null {
    const seen = exchange.request;
    if (seen === null) return null;
    const isCall = seen.direction === "egress";
    const entry = isCall
      ? sendRequest(exchange, seen, program)
      : readRequest(exchange, seen, program);
    entries.set(exchange, entry);
    return entry;
  }

  function responded(entry: Work | Call, program: ProgramState): void {
    const response = entry.exchange.response;
    if (response === null || entry.responded) return;
    entry.responded = true;
    if (entry.isWork) writeResponse(entry, response, program);
    else readResponse(entry, response, program);
  }

  function closed(entry: Work | Call, program: ProgramState): void {
    entries.delete(entry.exchange);
    if (entry.isWork) {
      endWork(entry, program);
      for (const call of entry.children) {
        askRules(call, program);
        learnFrom(call, program);
      }
      emit(entry.exchange, none, entry.emitted++);
      if (program.pending.length > 0) decideEnclosed(program);
      const givenUp = forgetWorks(program);
      if (givenUp > 0) out.drop("link_full", givenUp);
      return;
    }
    entry.doneNs = Number(entry.exchange.endNs);
    askRules(entry, program);
    const decision = weigh(entry, program, true);
    if (entry.openBefore === 0 || isDecisive(decision)) decide(entry, program, true);
    else {
      if (decision.confidence >= guessFrom) entry.guess = decision.parent;
      wait(entry, program);
    }
  }

  function wait(call: Call, program: ProgramState): void {
    program.pending.push(call);
    waiting.add(program);
    unsent.push(call);
    if (program.pending.length > LIMITS.linkPending.value) {
      const oldest = program.pending.shift();
      if (oldest !== undefined) decide(oldest, program, false);
    }
  }

  function decide(call: Call, program: ProgramState, quick: boolean): void {
    askRules(call, program);
    call.decision = weigh(call, program, quick);
    const { parent } = call.decision;
    const isEarly = parent !== null && parent.endNs === Infinity;
    if (isEarly && parent.children.length < childrenMax) parent.children.push(call);
    else learnFrom(call, program);
    emitCall(call);
  }

  /** Decides the calls that are waiting and fulfil `isDue`, in the order in which they ended. */
  function decideDue(program: ProgramState, isDue: (call: Call) => boolean): void {
    const { pending } = program;
    let kept = 0;
    for (const call of pending) {
      if (isDue(call)) decide(call, program, false);
      else pending[kept++] = call;
    }
    pending.length = kept;
    if (kept === 0) waiting.delete(program);
  }

  function decideEnclosed(program: ProgramState): void {
    const open = program.works.find((work) => work.endNs === Infinity);
    const oldestOpen = open?.order ?? program.nextOrder;
    decideDue(program, (call) => call.orderBefore <= oldestOpen);
  }

  const decideUntil = (program: ProgramState, nowNs: number) => {
    const first = program.pending[0];
    if (first === undefined || first.doneNs + windowNs >= nowNs) return;
    decideDue(program, (call) => call.doneNs + windowNs < nowNs);
  };

  const decideAll = (program: ProgramState) => decideDue(program, () => true);

  function left(event: SessionEvent): void {
    const { exchange } = event;
    if (exchange.program.program === 0 || exchange.connection.observer !== "process") {
      if (event.kind === "closed") emit(exchange, none, 0);
      return;
    }
    const program = programOf(exchange);
    const nowNs = Number(event.emitNs);
    if (nowNs > program.nowNs) {
      program.nowNs = nowNs;
      if (program.pending.length > 0) decideUntil(program, nowNs);
    }
    const entry = entries.get(exchange) ?? opened(exchange, program);
    if (entry === null) {
      if (event.kind === "closed") emit(exchange, none, 0);
      return;
    }
    if (event.kind !== "opened") responded(entry, program);
    if (event.kind === "closed") closed(entry, program);
    if (event.kind === "streaming") {
      if (entry.isWork) emit(exchange, none, entry.emitted++);
      else emitCall(entry);
    }
  }

  function right(fact: Fact): void {
    if (fact.kind === "activity" && fact.what === "thread_exit") {
      programs.get(fact.program.program)?.threads.delete(fact.tid);
    }
    if (fact.kind === "process" && fact.what === "exit") {
      const program = programs.get(fact.program.program);
      if (program !== undefined) program.gone = true;
    }
  }

  function advance(watermarkNs: Nanos): void {
    const nowNs = Number(watermarkNs);
    for (const program of waiting) decideUntil(program, nowNs);
    let sent = 0;
    for (const call of unsent) {
      if (call.exchange.endNs + holdNs >= watermarkNs) break;
      if (call.emitted === 0) emitCall(call);
      sent++;
    }
    unsent.splice(0, sent);
  }

  return {
    left,
    right,
    advance,
    end() {
      for (const program of programs.values()) decideAll(program);
    },
    held() {
      let pending = 0;
      for (const program of waiting) pending += program.pending.length;
      return entries.size + pending;
    },
    watermark: (watermarkNs) => watermarkNs - holdNs,
  };
}
