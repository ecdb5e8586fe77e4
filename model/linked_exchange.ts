// SPDX-License-Identifier: Apache-2.0
// An exchange with its possible parents, as linking emits it and enriching makes a span of it.

import type { Exchange } from "./exchange.ts";
import type { Candidate } from "./link.ts";

/** The highest revision of an exchange wins; the same exchange comes again when a link changes. */
export interface LinkedExchange {
  readonly exchange: Exchange;
  /** Ordered by rank: the first one, if any, is the winner. */
  readonly candidates: readonly Candidate[];
  /** 0 for the first emission of this exchange, rising by one. */
  readonly revision: number;
}
