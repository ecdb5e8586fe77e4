// SPDX-License-Identifier: Apache-2.0
// One state per connection, bounded: beyond the limit the idlest of a few old ones is given up.

import { LIMITS } from "../../model/limits.ts";

/** What the table needs of a state: when it was last used, as a count that rises with each use. */
export interface Used {
  used: number;
}

export class ConnectionStates<State extends Used> {
  readonly #states = new Map<number, State>();
  readonly #max: number;
  readonly #onEvict: (state: State) => void;
  #uses = 0;
  #oldest: Iterator<[number, State]> | null = null;

  constructor(onEvict: (state: State) => void, max: number = LIMITS.connections.value) {
    this.#max = max;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#states.size;
  }

  get(conn: number): State | undefined {
    const state = this.#states.get(conn);
    if (state !== undefined) state.used = ++this.#uses;
    return state;
  }

  add(conn: number, state: State): State {
    if (this.#states.size >= this.#max) this.#evict();
    state.used = ++this.#uses;
    this.#states.set(conn, state);
    return state;
  }

  remove(conn: number): void {
    this.#states.delete(conn);
  }

  entries(): IterableIterator<[number, State]> {
    return this.#states.entries();
  }

  values(): IterableIterator<State> {
    return this.#states.values();
  }

  /** Looks at the next few in order of age, going round: the idlest of them goes. */
  #evict(): void {
    let idlest: [number, State] | null = null;
    for (let i = 0; i < SAMPLE; i++) {
      this.#oldest ??= this.#states.entries();
      const { value, done } = this.#oldest.next();
      if (done === true) this.#oldest = null;
      else if (idlest === null || value[1].used < idlest[1].used) idlest = value;
    }
    if (idlest === null) return;
    this.#states.delete(idlest[0]);
    this.#onEvict(idlest[1]);
  }
}

const SAMPLE = 32;
