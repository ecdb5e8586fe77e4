// SPDX-License-Identifier: Apache-2.0
// Exchanges whose requests went in one direction of a connection and await their response:
// found by order, or by the protocol's id.

import type { Exchange } from "../../model/exchange.ts";
import type { Message } from "../../model/message.ts";
import type { Nanos } from "../../model/time.ts";

/** An exchange in the making. */
export interface Open {
  readonly exchange: Mutable<Exchange>;
  readonly id: Message["id"];
  /** When it times out without a response. */
  readonly deadlineNs: Nanos;
  requestDone: boolean;
  responseDone: boolean;
  /** A span was emitted while it was still open. */
  streamed: boolean;
  /** Closed, but its response may still come: it must not be taken for another's. */
  over: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class OpenExchanges {
  readonly #byOrder: boolean;
  #queue: Open[] = [];
  #head = 0;
  readonly #byId = new Map<Message["id"], Open>();

  constructor(byOrder: boolean) {
    this.#byOrder = byOrder;
  }

  get size(): number {
    return this.#byOrder ? this.#queue.length - this.#head : this.#byId.size;
  }

  add(open: Open): void {
    if (this.#byOrder) this.#queue.push(open);
    else this.#byId.set(open.id, open);
  }

  /** The exchange that a response belongs to, left where it is. */
  find(id: Message["id"]): Open | undefined {
    return this.#byOrder ? this.#queue[this.#head] : this.#byId.get(id);
  }

  /** Takes out the exchange that a response belongs to. */
  take(id: Message["id"]): Open | undefined {
    if (this.#byOrder) return this.#shift();
    const open = this.#byId.get(id);
    if (open !== undefined) this.#byId.delete(id);
    return open;
  }

  first(): Open | undefined {
    if (this.#byOrder) return this.#queue[this.#head];
    for (const open of this.#byId.values()) return open;
    return undefined;
  }

  /** In order of their requests. */
  all(): Iterable<Open> {
    return this.#byOrder ? this.#queue.slice(this.#head) : [...this.#byId.values()];
  }

  clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#byId.clear();
  }

  #shift(): Open | undefined {
    // Mostly there is but one, and to pop it costs less than to set the length.
    if (this.#head === 0 && this.#queue.length === 1) return this.#queue.pop();
    const open = this.#queue[this.#head];
    if (open === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_FROM) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return open;
  }
}

const COMPACT_FROM = 64;
