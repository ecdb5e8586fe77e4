// SPDX-License-Identifier: Apache-2.0
// Operators with one state per key: the engine keeps, bounds, expires and times the states.

import { KeyedState } from "./keyed_state.ts";
import { type Nanos, type Operator, type Outputs, TIME_MIN } from "./operator.ts";
import { Timers } from "./timers.ts";

/**
 * Int32 and bigint keys are looked up in 13 to 38 ns. A string composed for the look-up costs ten
 * times as much: fine in a user's pipeline behind a filter, not on the hot path.
 */
export type Key = number | bigint | string;

export interface KeyRules<T> {
  /** Event time of a record. Needed by windows; `ttlNs` counts from the watermark without it. */
  readonly timeOf?: (record: T) => Nanos;
  /** Keys held at once, 65,536 if absent. One more evicts the idlest, counted `keys_full`. */
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

export const KEYS_MAX = 65_536;

/** The plain operator that a keyed one becomes once its keys are known. */
export function keyedStage<K extends Key, In, State, Out, Params, Side>(
  operator: KeyedOperator<K, In, State, Out, Params, Side>,
  keyOf: (record: In) => K,
  { timeOf, keysMax = KEYS_MAX, ttlNs }: KeyRules<In>,
): Operator<In, Out, Params, Side> {
  return {
    name: operator.name,
    limits: operator.limits,
    open(params, out) {
      const timers = new Timers<K>();
      const states = new KeyedState<K, State>({
        keysMax,
        ttlNs,
        left(key, state, why) {
          timers.cancel(key);
          if (why === "evicted") out.drop("keys_full");
          stage.end?.(state, key, why);
        },
      });
      const stage = operator.open(params, {
        ...out,
        setTimer: (key, atNs) => atNs === undefined ? timers.cancel(key) : timers.set(key, atNs),
        forget(key) {
          states.delete(key);
          timers.cancel(key);
        },
      });
      const fired = (key: K, atNs: Nanos): void => {
        const state = states.get(key);
        if (state !== undefined) stage.timer?.(state, key, atNs);
      };
      let nowNs = TIME_MIN;
      return {
        push(record) {
          const key = keyOf(record);
          const atNs = timeOf === undefined ? nowNs : timeOf(record);
          let state = states.use(key, atNs);
          if (state === undefined) {
            state = stage.start(key, record);
            states.set(key, state, atNs);
          }
          stage.push(state, record, key);
        },
        advance(watermarkNs) {
          nowNs = watermarkNs;
          timers.fire(watermarkNs, fired);
          states.advance(watermarkNs);
        },
        end() {
          for (const [key, state] of states) {
            states.delete(key);
            timers.cancel(key);
            stage.end?.(state, key, "ended");
          }
        },
        held: () => states.size,
      };
    },
  };
}
