// SPDX-License-Identifier: Apache-2.0
// Event-time timers, one per key, fired in order of time by a rising watermark.
//
// A binary heap with lazy changes. Moving a timer later, which is what every record of an idle
// timeout does, only writes the new time; the heap finds out when the old one surfaces. Heap
// order uses doubles relative to the first time set: exact for 104 days, then to 2 ns.

import type { Nanos } from "./operator.ts";

interface Timer<K> {
  readonly key: K;
  atNs: Nanos;
  /** Counts up with every setting, so that equal times fire in the order they were set. */
  order: number;
  /** The heap's only valid item for this timer; others that mention it are stale. */
  item: Item<K> | undefined;
}

interface Item<K> {
  readonly timer: Timer<K>;
  readonly at: number;
  readonly order: number;
}

export class Timers<K> {
  readonly #timers = new Map<K, Timer<K>>();
  #heap: Item<K>[] = [];
  #originNs: Nanos | undefined;
  #orders = 0;

  /** Keys that have a timer. */
  get size(): number {
    return this.#timers.size;
  }

  /** Sets the key's timer, replacing an earlier setting. */
  set(key: K, atNs: Nanos): void {
    let timer = this.#timers.get(key);
    if (timer === undefined) {
      timer = { key, atNs, order: this.#orders++, item: undefined };
      this.#timers.set(key, timer);
      this.#enqueue(timer);
      return;
    }
    const sooner = atNs < timer.atNs;
    timer.atNs = atNs;
    timer.order = this.#orders++;
    if (sooner) this.#enqueue(timer);
  }

  /** When the key's timer is due, if it has one. */
  at(key: K): Nanos | undefined {
    return this.#timers.get(key)?.atNs;
  }

  /** True if there was a timer to cancel. */
  cancel(key: K): boolean {
    const held = this.#timers.delete(key);
    if (held) this.#forgetStale();
    return held;
  }

  /**
   * Spends and reports all timers due at or before the watermark, earliest first. Timers set in
   * `fired` fire in the same call if they are due.
   */
  fire(watermarkNs: Nanos, fired: (key: K, atNs: Nanos) => void): void {
    if (this.#heap.length === 0) return;
    const limit = this.#relative(watermarkNs);
    for (let top = this.#heap[0]; top !== undefined && top.at <= limit; top = this.#heap[0]) {
      const { timer } = top;
      const valid = timer.item === top && this.#timers.get(timer.key) === timer;
      if (valid && timer.order === top.order && timer.atNs > watermarkNs) return; // rounded
      this.#removeTop();
      if (!valid) continue;
      if (timer.order !== top.order) {
        this.#enqueue(timer);
        continue;
      }
      this.#timers.delete(timer.key);
      fired(timer.key, timer.atNs);
    }
  }

  #relative(atNs: Nanos): number {
    this.#originNs ??= atNs;
    return Number(atNs - this.#originNs);
  }

  #enqueue(timer: Timer<K>): void {
    const item = { timer, at: this.#relative(timer.atNs), order: timer.order };
    timer.item = item;
    this.#heap.push(item);
    siftUp(this.#heap, this.#heap.length - 1);
    this.#forgetStale();
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    siftDown(this.#heap, 0);
  }

  /** Keeps the heap within four times the number of timers. */
  #forgetStale(): void {
    if (this.#heap.length < 64 || this.#heap.length <= 4 * this.#timers.size) return;
    this.#heap = this.#heap.filter((item) =>
      item.timer.item === item && this.#timers.get(item.timer.key) === item.timer
    );
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) siftDown(this.#heap, i);
  }
}

function isBefore(a: Item<unknown>, b: Item<unknown>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function siftUp(heap: Item<unknown>[], start: number): void {
  let i = start;
  const item = heap[i] as Item<unknown>;
  while (i > 0) {
    const parentAt = (i - 1) >> 1;
    const parent = heap[parentAt] as Item<unknown>;
    if (!isBefore(item, parent)) break;
    heap[i] = parent;
    i = parentAt;
  }
  heap[i] = item;
}

function siftDown(heap: Item<unknown>[], start: number): void {
  let i = start;
  const item = heap[i] as Item<unknown>;
  for (;;) {
    let childAt = 2 * i + 1;
    if (childAt >= heap.length) break;
    let child = heap[childAt] as Item<unknown>;
    const right = heap[childAt + 1];
    if (right !== undefined && isBefore(right, child)) {
      child = right;
      childAt++;
    }
    if (!isBefore(child, item)) break;
    heap[i] = child;
    i = childAt;
  }
  heap[i] = item;
}
