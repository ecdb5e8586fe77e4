// SPDX-License-Identifier: Apache-2.0
// Finds, inside each program, the request on whose behalf another request was sent.
//
// A request read is a work, a request sent is a call. Programs do not share state, so any
// interleaving of records that keeps the order within each program gives the same links. A call is
// decided when it ends if the evidence is decisive, else when a rule speaks later, when every work
// it could belong to has ended, or when its window closes.

import { hashOfLong, HashTable } from "../../engine/hash_table.ts";
import type { Join, JoinOperator, Outputs } from "../../engine/operator.ts";
import type { Fact } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import type { Exchange, SessionEvent } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { Candidate } from "../../model/link.ts";
import type { LinkedExchange } from "../../model/linked_exchange.ts";
import { MILLISECOND, type Nanos } from "../../model/time.ts";
import { Linker } from "./linker.ts";
import type { Call, Work } from "./program.ts";
import { isPassedOn } from "./queues/messages.ts";

export const link: JoinOperator<SessionEvent, Fact, LinkedExchange, void, never, DropReason> = {
  name: "link",
  limits: [
    "programs",
    "openPerProgram",
    "linkPending",
    "linkThreads",
    "linkCoroutines",
    "linkAfterMs",
    "linkMessages",
    "linkDeliveries",
    "linkKinds",
    "linkWindowMs",
    "linkHoldMs",
  ],
  open: (_params, out) => new LinkStage(out),
};

const holdNs = BigInt(LIMITS.linkHoldMs.value) * MILLISECOND;

const none: readonly Candidate[] = [];

/** A class for its state: one linker per program, and the calls that are held back for a while. */
class LinkStage implements Join<SessionEvent, Fact> {
  readonly #out: Outputs<LinkedExchange, never, DropReason>;
  readonly #linkers = new Map<number, Linker>();
  readonly #entries = new HashTable<Exchange, Work | Call>(({ spanId }) => hashOfLong(spanId));
  readonly #passed = new HashTable<Exchange, readonly Candidate[]>(({ spanId }) =>
    hashOfLong(spanId)
  );
  #held: Call[] = [];

  constructor(out: Outputs<LinkedExchange, never, DropReason>) {
    this.#out = out;
  }

  readonly left = (event: SessionEvent): void => {
    const { exchange, kind } = event;
    const isOutside = exchange.program.program === 0 || exchange.connection.observer !== "process";
    if (isOutside) {
      if (kind === "closed") this.#out.emit({ exchange, candidates: none, revision: 0 });
      return;
    }
    const linker = this.#linkerOf(exchange.program.program);
    linker.advance(Number(event.emitNs));
    if (isPassedOn(exchange)) {
      this.#passOn(event, linker);
      return;
    }
    const entry = this.#entries.get(exchange) ?? this.#open(exchange, linker);
    if (entry === null) {
      if (kind === "closed") this.#out.emit({ exchange, candidates: none, revision: 0 });
      return;
    }
    if (kind !== "opened") linker.respond(entry);
    if (kind === "streaming") this.#emit(entry);
    if (kind !== "closed") return;
    this.#entries.delete(exchange);
    if (entry.isWork) {
      this.#emit(entry);
      linker.closeWork(entry);
    } else linker.closeCall(entry);
  };

  readonly right = (fact: Fact): void => {
    if (fact.kind === "coroutine") {
      this.#linkerOf(fact.program.program).noteCoroutine(fact);
    }
    if (fact.kind === "connect") this.#linkers.get(fact.program.program)?.noteConnect(fact);
    if (fact.kind === "activity" && fact.wokenTid !== undefined) {
      const { tid, wokenTid } = fact;
      this.#linkers.get(fact.program.program)?.noteWake({ tid, wokenTid }, Number(fact.emitNs));
    }
    if (fact.kind === "activity" && fact.what === "thread_exit") {
      this.#linkers.get(fact.program.program)?.forgetThread(fact.tid);
    }
  };

  readonly advance = (watermarkNs: Nanos): void => {
    const nowNs = Number(watermarkNs);
    for (const linker of this.#linkers.values()) {
      if (linker.isWaiting) linker.advance(nowNs);
    }
    let sent = 0;
    for (const call of this.#held) {
      if (call.exchange.endNs + holdNs >= watermarkNs) break;
      if (call.emitted === 0) this.#emit(call);
      sent++;
    }
    if (sent > 0) this.#held = this.#held.slice(sent);
  };

  readonly end = (): void => {
    for (const linker of this.#linkers.values()) linker.decideAll();
  };

  readonly held = (): number => {
    let pending = 0;
    for (const linker of this.#linkers.values()) pending += linker.pendingCount;
    return this.#entries.size + pending;
  };

  readonly watermark = (watermarkNs: Nanos): Nanos => watermarkNs - holdNs;

  /** It is no call: what it follows from is told by the message itself. */
  #passOn({ exchange, kind }: SessionEvent, linker: Linker): void {
    let candidates = this.#passed.get(exchange);
    if (candidates === undefined) {
      candidates = linker.passOn(exchange);
      if (kind !== "closed") this.#passed.set(exchange, candidates);
    }
    if (kind !== "closed") return;
    this.#passed.delete(exchange);
    this.#out.emit({ exchange, candidates, revision: 0 });
  }

  readonly #emit = (entry: Work | Call): void => {
    const candidates = entry.isWork ? none : entry.decision?.candidates ?? none;
    this.#out.emit({ exchange: entry.exchange, candidates, revision: entry.emitted++ });
  };

  #open(exchange: Exchange, linker: Linker): Work | Call | null {
    const entry = linker.open(exchange);
    if (entry !== null) this.#entries.set(exchange, entry);
    return entry;
  }

  #linkerOf(program: number): Linker {
    const known = this.#linkers.get(program);
    if (known !== undefined) return known;
    if (this.#linkers.size >= LIMITS.programs.value) this.#forgetOldest();
    const linker = new Linker({
      emit: this.#emit,
      hold: (call) => void this.#held.push(call),
      forget: (count) => this.#out.drop("link_full", count),
    });
    this.#linkers.set(program, linker);
    return linker;
  }

  #forgetOldest(): void {
    const oldest = this.#linkers.entries().next();
    if (oldest.done) return;
    const [program, linker] = oldest.value;
    linker.decideAll();
    if (linker.openCount > 0) this.#out.drop("link_full", linker.openCount);
    this.#linkers.delete(program);
  }
}
