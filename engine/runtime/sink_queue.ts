// SPDX-License-Identifier: Apache-2.0
// The bounded queue before an async sink, and the task that writes from it batch by batch.

import type { AsyncSinkStage, QueueRules } from "../sink.ts";
import { newBell } from "./bell.ts";

export interface QueueHooks {
  /** A batch was lost because a write rejected; `records` is empty if the sink had taken them. */
  readonly failed: (records: readonly unknown[], count: number, cause: unknown) => void;
  readonly dropped: (reason: string, records: number) => void;
  /** Room has been made, or the sink has closed. */
  readonly changed: () => void;
}

/** Records that one write gets: kept here, or taken by the sink and only counted. */
interface Batch {
  readonly records: unknown[];
  count: number;
}

export class SinkQueue {
  /** Settles when all is written and the sink closed; rejects if closing fails. */
  readonly finished: Promise<void>;
  /** Records offered and accepted, and those whose write has settled. */
  accepted = 0;
  settled = 0;

  readonly #rules: QueueRules;
  readonly #hooks: QueueHooks;
  readonly #stage: AsyncSinkStage<never>;
  readonly #bell = newBell();
  /** Lets go of the call of the stage that is under way. */
  #letGo = () => {};
  /** Full batches, and last the one being filled. */
  #batches: Batch[] = [];
  #queued = 0;
  #closed = false;
  #aborted = false;

  constructor(rules: QueueRules, stage: AsyncSinkStage<never>, hooks: QueueHooks) {
    this.#rules = rules;
    this.#hooks = hooks;
    this.#stage = stage;
    this.finished = this.#work();
    this.finished.catch(() => {}); // reported by whoever awaits it
  }

  /** Records waiting, those being written included. */
  get length(): number {
    return this.accepted - this.settled;
  }

  /** Records a source may send before it has to wait; without bound for a queue that drops. */
  get room(): number {
    return this.#rules.whenFull === "drop" ? Infinity : this.#rules.recordsMax - this.length;
  }

  offer(record: unknown): void {
    if (this.#aborted || (this.length >= this.#rules.recordsMax && this.room === Infinity)) {
      const { dropReason = "queue_full" } = this.#rules;
      return this.#hooks.dropped(this.#aborted ? "aborted" : dropReason, 1);
    }
    const { take } = this.#stage;
    take?.(record as never);
    this.accepted++;
    this.#queued++;
    let batch = this.#batches.at(-1);
    if (batch === undefined || (take === undefined && this.#isFull(batch))) {
      batch = { records: [], count: 0 };
      this.#batches.push(batch);
      this.#bell.ring();
    }
    if (take === undefined) batch.records.push(record);
    if (++batch.count === this.#rules.batchRecordsMax) this.#bell.ring();
  }

  #isFull({ count }: Batch): boolean {
    return count >= this.#rules.batchRecordsMax;
  }

  /** No record will be offered any more: write the rest and close. */
  close(): void {
    this.#closed = true;
    this.#bell.ring();
  }

  /** Gives up what waits, counted, and does not wait for a write that hangs. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#letGo();
    if (this.#queued > 0) this.#hooks.dropped("aborted", this.#queued);
    this.settled += this.#queued;
    this.#queued = 0;
    this.#batches = [];
    this.close();
  }

  async #work(): Promise<void> {
    const stage = this.#stage;
    try {
      while (!(this.#closed && this.#batches.length === 0)) await this.#step();
      if (!this.#aborted) await this.#unlessAborted(stage.end());
    } finally {
      await this.#unlessAborted(stage[Symbol.asyncDispose]());
      this.#hooks.changed();
    }
  }

  async #step(): Promise<void> {
    if (this.#batches.length === 0) await this.#bell.wait();
    const deadlineMs = performance.now() + this.#rules.batchWaitMs;
    for (let [batch] = this.#batches; !this.#closed; [batch] = this.#batches) {
      if (batch !== undefined && this.#isFull(batch)) break;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) break;
      await this.#bell.wait(leftMs);
    }
    const batch = this.#batches.shift();
    if (batch !== undefined) await this.#write(batch);
  }

  async #write({ records, count }: Batch): Promise<void> {
    this.#queued -= count;
    try {
      await this.#unlessAborted(this.#stage.write(records as never[]));
    } catch (cause) {
      this.#hooks.failed(records, count, cause);
    }
    this.settled += count;
    this.#hooks.changed();
  }

  /**
   * Resolves at the latest when the queue is aborted. Not by Promise.race with one promise for the
   * whole run: that would remember every race, and a run may last for months.
   */
  #unlessAborted(call: PromiseLike<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#letGo = resolve;
      call.then(resolve, reject);
      if (this.#aborted) resolve();
    });
  }
}
