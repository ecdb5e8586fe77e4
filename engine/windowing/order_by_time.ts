// SPDX-License-Identifier: Apache-2.0
// Puts records into the order of their event time, holding each until the watermark passes it.
//
// What merged flows give is in order of arrival; behind this operator the order is that of time,
// the same in every run. Records of one time keep their order of arrival.

import { type Nanos, type Operator, type Outputs, type Stage, TIME_MIN } from "../operator.ts";

export interface OrderRules<T> {
  readonly timeOf: (record: T) => Nanos;
  /** Records held, 65,536 if absent. One more releases the older half early. */
  readonly heldMax?: number;
}

/** Records older than what has been released leave at once, on the side output. */
export function orderByTime<T>(
  rules: OrderRules<T>,
  name = "order_by_time",
): Operator<T, T, void, T> {
  return { name, limits: [], open: (_, out) => openOrder(rules, out) };
}

const HELD_MAX = 65_536;

function openOrder<T>(
  { timeOf, heldMax = HELD_MAX }: OrderRules<T>,
  out: Outputs<T, T>,
): Stage<T> {
  interface Held {
    readonly record: T;
    readonly atNs: Nanos;
  }
  const held: Held[] = [];
  let releasedNs = TIME_MIN; // everything before this time has been emitted

  const release = (due: (item: Held, index: number) => boolean): void => {
    held.sort((a, b) => a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : 0);
    const first = held.findIndex((item, index) => !due(item, index));
    const released = held.splice(0, first < 0 ? held.length : first);
    const last = released.at(-1);
    if (last !== undefined && last.atNs > releasedNs) releasedNs = last.atNs;
    for (const { record } of released) out.emit(record);
  };
  return {
    push(record) {
      const atNs = timeOf(record);
      if (atNs < releasedNs) return out.side(record);
      held.push({ record, atNs });
      if (held.length > heldMax) release((_, index) => index <= heldMax / 2);
    },
    advance(watermarkNs) {
      release((item) => item.atNs < watermarkNs);
      if (watermarkNs > releasedNs) releasedNs = watermarkNs;
    },
    end: () => release(() => true),
    held: () => held.length,
  };
}
