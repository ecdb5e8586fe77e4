// SPDX-License-Identifier: Apache-2.0
// Whether messages of a connection can still be paired by their order.
//
// Where several requests were under way and bytes were lost, the k-th response no longer belongs
// to the k-th request. Order is found again after a pause, in which all that was under way must
// have been answered, or after rounds in which as many responses came as requests had gone.

import type { Nanos } from "../../model/time.ts";
import { MILLISECOND } from "../../model/time.ts";

/** A connection that is silent for this long before a request has nothing under way. */
const PAUSE_NS: Nanos = 100n * MILLISECOND;
/** Rounds (a burst of requests, a burst of as many responses) that prove the order. */
const ROUNDS_MIN = 2;

export class Order {
  lost = false;
  #requests = 0;
  #responses = 0;
  #rounds = 0;
  #lastNs: Nanos = 0n;

  lose(): void {
    this.lost = true;
    this.#requests = 0;
    this.#responses = 0;
    this.#rounds = 0;
  }

  /** A message while order is lost: true when pairing begins again, with this request. */
  foundBy(kind: "request" | "response", emitNs: Nanos): boolean {
    const pauseNs = emitNs - this.#lastNs;
    this.#lastNs = emitNs;
    if (kind === "response") {
      this.#responses++;
      return false;
    }
    if (this.#responses > 0) {
      this.#rounds = this.#responses === this.#requests ? this.#rounds + 1 : 0;
      this.#requests = 0;
      this.#responses = 0;
    }
    this.#requests++;
    if (this.#rounds < ROUNDS_MIN && (pauseNs < PAUSE_NS || pauseNs === emitNs)) return false;
    this.lost = false;
    return true;
  }
}
