// SPDX-License-Identifier: Apache-2.0
// Joins two flows on a key, for records that are at most a given span of event time apart.
//
// Either record may come first, and it makes no difference which does.

import { type Key, KEYS_MAX } from "../keyed.ts";
import { type Join, type JoinOperator, type Nanos, type Outputs, TIME_MAX } from "../operator.ts";
import { Timers } from "../timers.ts";

export interface JoinWithinRules<Left, Right, K extends Key, Out> {
  readonly leftKey: (record: Left) => K;
  readonly rightKey: (record: Right) => K;
  readonly leftTime: (record: Left) => Nanos;
  readonly rightTime: (record: Right) => Nanos;
  /** The distance in time up to which two records of one key meet, inclusive. */
  readonly withinNs: Nanos;
  readonly combine: (left: Left, right: Right) => Out;
  /** Records held of both flows, 65,536 if absent; the newest are dropped as `join_full`. */
  readonly heldMax?: number;
}

/** A record that met no other, told on the side output when none can come any more. */
export type Unmet<Left, Right> =
  | { readonly kind: "left"; readonly record: Left }
  | { readonly kind: "right"; readonly record: Right };

export function joinWithin<Left, Right, K extends Key, Out>(
  rules: JoinWithinRules<Left, Right, K, Out>,
  name = "join_within",
): JoinOperator<Left, Right, Out, void, Unmet<Left, Right>, "join_full"> {
  return { name, limits: [], open: (_, out) => openJoin(rules, out) };
}

interface Held<K, Left, Right> {
  readonly key: K;
  readonly atNs: Nanos;
  readonly one: Unmet<Left, Right>;
  met: boolean;
}

function openJoin<Left, Right, K extends Key, Out>(
  rules: JoinWithinRules<Left, Right, K, Out>,
  { emit, side, drop }: Outputs<Out, Unmet<Left, Right>, "join_full">,
): Join<Left, Right> {
  const { withinNs, combine, heldMax = KEYS_MAX } = rules;
  type Item = Held<K, Left, Right>;
  const held = new Map<K, Set<Item>>();
  const leaving = new Timers<Item>();

  /** True if they were a left and a right. */
  const pair = (a: Unmet<Left, Right>, b: Unmet<Left, Right>): boolean => {
    if (a.kind === "left" && b.kind === "right") emit(combine(a.record, b.record));
    else if (a.kind === "right" && b.kind === "left") emit(combine(b.record, a.record));
    return a.kind !== b.kind;
  };
  const take = (item: Item): void => {
    const sameKey = held.get(item.key);
    for (const other of sameKey ?? []) {
      if (distance(item.atNs, other.atNs) > withinNs || !pair(item.one, other.one)) continue;
      item.met = true;
      other.met = true;
    }
    if (leaving.size >= heldMax) return drop("join_full");
    if (sameKey === undefined) held.set(item.key, new Set([item]));
    else sameKey.add(item);
    leaving.set(item, item.atNs + withinNs + 1n);
  };
  const leave = (item: Item): void => {
    const sameKey = held.get(item.key);
    sameKey?.delete(item);
    if (sameKey?.size === 0) held.delete(item.key);
    if (!item.met) side(item.one);
  };
  return {
    left(record) {
      const atNs = rules.leftTime(record);
      take({ key: rules.leftKey(record), atNs, one: { kind: "left", record }, met: false });
    },
    right(record) {
      const atNs = rules.rightTime(record);
      take({ key: rules.rightKey(record), atNs, one: { kind: "right", record }, met: false });
    },
    advance: (watermarkNs) => leaving.fire(watermarkNs, leave),
    end: () => leaving.fire(TIME_MAX, leave),
    held: () => leaving.size,
    watermark: (watermarkNs) => watermarkNs - withinNs,
  };
}

function distance(a: Nanos, b: Nanos): Nanos {
  return a < b ? b - a : a - b;
}
