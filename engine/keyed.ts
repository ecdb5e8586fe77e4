// SPDX-License-Identifier: Apache-2.0
// Operators with one state per key: the engine keeps, bounds, expires and times the states.

import type { Nanos, Outputs } from "./operator.ts";

/**
 * Int32 and bigint keys are looked up in 13 to 38 ns. A string composed for the look-up costs ten
 * times as much: fine in a user's pipeline behind a filter, not on the hot path.
 */
export type Key = number | bigint | string;

export interface KeyRules<T> {
  /** Event time of a record. Needed by windows, timers relative to records, and `ttlNs`. */
  readonly timeOf?: (record: T) => Nanos;
  /** Keys held at once; one more evicts the key unused for longest, counted `keys_full`. */
  readonly keysMax?: number;
  /** A key unused for this long in event time ends, as by `end`. Absent: never. */
  readonly ttlNs?: Nanos;
}

/** An operator whose state is one value per key. */
export interface KeyedOperator<
  K extends Key,
  In,
  State,
  Out,
  Params = void,
  Side = never,
  Drop extends string = string,
> {
  readonly name: string;
  readonly limits: readonly string[];
  readonly open: (
    params: Params,
    out: KeyedOutputs<K, Out, Side, Drop>,
  ) => KeyedStage<K, In, State>;
}

export interface KeyedOutputs<K extends Key, Out, Side = never, Drop extends string = string>
  extends Outputs<Out, Side, Drop> {
  /** Sets the key's one timer, replacing an earlier setting; `undefined` cancels it. */
  readonly setTimer: (key: K, atNs: Nanos | undefined) => void;
  /** Forgets the key's state and timer without calling `end`. */
  readonly forget: (key: K) => void;
}

export interface KeyedStage<K extends Key, In, State> {
  /** The state of a key not held. */
  readonly start: (key: K, record: In) => State;
  readonly push: (state: State, record: In, key: K) => void;
  /** The watermark has reached the key's timer, which is spent. */
  readonly timer?: (state: State, key: K, atNs: Nanos) => void;
  /** The key leaves: the stream ended, its time to live passed, or it was evicted. */
  readonly end?: (state: State, key: K, why: "ended" | "expired" | "evicted") => void;
}
