// SPDX-License-Identifier: Apache-2.0
// One state per key, bounded in number and in event time.
//
// A map for the look-up and a linked list in order of last use: the list's head is what is
// evicted when the map is full, and what expires when the watermark passes.

import type { Nanos } from "./operator.ts";

export interface KeyedStateRules<K, S> {
  /** Keys held at once, at least 1. */
  readonly keysMax: number;
  /** What a new key does when all places are taken; "refuse" makes `set` return false. */
  readonly whenFull?: "evict_idlest" | "refuse";
  /** A key unused for this long expires when the watermark says so. Absent: never. */
  readonly ttlNs?: Nanos | undefined;
  /** Called after a state has left by itself, not after `delete`. */
  readonly left?: (key: K, state: S, why: "expired" | "evicted") => void;
}

interface Entry<K, S> {
  readonly key: K;
  state: S;
  usedNs: Nanos;
  older: Entry<K, S> | undefined;
  newer: Entry<K, S> | undefined;
}

/** `K` should be an int32 or a bigint on hot paths. A state is anything but undefined. */
export class KeyedState<K, S> {
  readonly #entries = new Map<K, Entry<K, S>>();
  readonly #rules: KeyedStateRules<K, S>;
  #oldest: Entry<K, S> | undefined;
  #newest: Entry<K, S> | undefined;

  constructor(rules: KeyedStateRules<K, S>) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The key's state, without counting as a use. */
  get(key: K): S | undefined {
    return this.#entries.get(key)?.state;
  }

  /** The key's state, which counts as used at this event time. */
  use(key: K, nowNs: Nanos): S | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (nowNs > entry.usedNs) entry.usedNs = nowNs;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.state;
  }

  /** Holds a state for a key. False if there is no place for a new key and none may be evicted. */
  set(key: K, state: S, nowNs: Nanos): boolean {
    if (this.use(key, nowNs) !== undefined) {
      if (this.#newest !== undefined) this.#newest.state = state;
      return true;
    }
    if (this.#entries.size >= this.#rules.keysMax) {
      if (this.#rules.whenFull === "refuse" || this.#oldest === undefined) return false;
      this.#leave(this.#oldest, "evicted");
    }
    const entry = { key, state, usedNs: nowNs, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    return true;
  }

  delete(key: K): S | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#unlink(entry);
    return entry.state;
  }

  /** Lets go of all states unused since `ttlNs` before the watermark, longest unused first. */
  advance(watermarkNs: Nanos): void {
    const { ttlNs } = this.#rules;
    if (ttlNs === undefined) return;
    const limitNs = watermarkNs - ttlNs;
    while (this.#oldest !== undefined && this.#oldest.usedNs <= limitNs) {
      this.#leave(this.#oldest, "expired");
    }
  }

  /** All states, longest unused first. The one being visited may be deleted. */
  *[Symbol.iterator](): Generator<[K, S]> {
    for (let entry = this.#oldest; entry !== undefined;) {
      const { newer } = entry;
      yield [entry.key, entry.state];
      entry = newer;
    }
  }

  #leave(entry: Entry<K, S>, why: "expired" | "evicted"): void {
    this.delete(entry.key);
    this.#rules.left?.(entry.key, entry.state, why);
  }

  #append(entry: Entry<K, S>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry<K, S>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}
