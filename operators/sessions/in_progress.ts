// SPDX-License-Identifier: Apache-2.0
// Messages of one direction whose heads are known and whose ends are to come: one at a time, or,
// in multiplexed protocols, several at once by id.

import type { Message } from "../../model/message.ts";
import type { Open } from "./open_exchanges.ts";

export class InProgress {
  readonly #byId: Map<Message["id"], Open> | null;
  #single: Open | undefined = undefined;

  constructor(multiplexed: boolean) {
    this.#byId = multiplexed ? new Map() : null;
  }

  get size(): number {
    if (this.#byId !== null) return this.#byId.size;
    return this.#single === undefined ? 0 : 1;
  }

  add(id: Message["id"], open: Open): void {
    if (this.#byId === null) this.#single = open;
    else this.#byId.set(id, open);
  }

  take(id: Message["id"]): Open | undefined {
    if (this.#byId === null) return this.takeSingle();
    const open = this.#byId.get(id);
    if (open !== undefined) this.#byId.delete(id);
    return open;
  }

  /** The only one there can be; undefined in multiplexed protocols. */
  takeSingle(): Open | undefined {
    const open = this.#single;
    this.#single = undefined;
    return open;
  }

  all(): readonly Open[] {
    if (this.#byId !== null) return [...this.#byId.values()];
    return this.#single === undefined ? [] : [this.#single];
  }

  remove(open: Open): void {
    if (this.#byId === null) this.#single = undefined;
    else for (const [id, one] of this.#byId) if (one === open) this.#byId.delete(id);
  }
}
