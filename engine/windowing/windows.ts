// SPDX-License-Identifier: Apache-2.0
// Event-time windows over a keyed flow: tumbling (equal slots) and session (closed by a gap).
//
// A window's result depends on its records alone, not on their order (if `add` does not), on
// batch sizes or on speed. A record whose window has closed is dropped and counted as `late`.

import { type Key, type KeyRules, KEYS_MAX } from "../keyed.ts";
import { type Nanos, type Operator, type Outputs, type Stage, TIME_MAX } from "../operator.ts";
import { Timers } from "../timers.ts";

/** Half-open: `startNs` belongs to the window, `endNs` does not. */
export interface WindowSpan {
  readonly startNs: Nanos;
  readonly endNs: Nanos;
}

export interface TumblingWindow {
  readonly kind: "tumbling";
  readonly sizeNs: Nanos;
  readonly lateNs: Nanos;
}

export interface SessionWindow {
  readonly kind: "session";
  readonly gapNs: Nanos;
  readonly lateNs: Nanos;
}

/** Slots of equal size, aligned to time 0. A window closes `lateNs` after its end. */
export function tumbling(sizeNs: Nanos, lateNs: Nanos = 0n): TumblingWindow {
  return { kind: "tumbling", sizeNs, lateNs };
}

/** Records of a key less than the gap apart; ends one gap after the last, closes `lateNs` later. */
export function session(gapNs: Nanos, lateNs: Nanos = 0n): SessionWindow {
  return { kind: "session", gapNs, lateNs };
}

/** How the records of one window become one result. */
export interface Fold<K, T, Acc, Out> {
  readonly start: () => Acc;
  /** Returns the accumulator, the same or a new one. */
  readonly add: (acc: Acc, record: T) => Acc;
  readonly result: (acc: Acc, key: K, window: WindowSpan) => Out;
}

/** Session windows need `merge` as well: a record out of order can join two sessions to one. */
export interface MergingFold<K, T, Acc, Out> extends Fold<K, T, Acc, Out> {
  readonly merge: (into: Acc, from: Acc) => Acc;
}

/** The number of records per key and window. */
export function count<K>(): MergingFold<
  K,
  unknown,
  number,
  { key: K; count: number } & WindowSpan
> {
  return {
    start: () => 0,
    add: (n) => n + 1,
    merge: (a, b) => a + b,
    result: (n, key, { startNs, endNs }) => ({ key, count: n, startNs, endNs }),
  };
}

/** Who is who, where the windows are placed; `keysMax` bounds the open windows of all keys. */
interface Placed<K extends Key, T> extends KeyRules<T> {
  readonly keyOf: (record: T) => K;
  readonly timeOf: (record: T) => Nanos;
}

type WindowOutputs<Out> = Outputs<Out, never, "late" | "windows_full">;

export function tumblingOperator<K extends Key, T, Acc, Out>(
  window: TumblingWindow,
  fold: Fold<K, T, Acc, Out>,
  placed: Placed<K, T>,
  name = "window",
): Operator<T, Out> {
  return { name, limits: [], open: (_, out) => openTumbling(window, fold, placed, out) };
}

export function sessionOperator<K extends Key, T, Acc, Out>(
  window: SessionWindow,
  fold: MergingFold<K, T, Acc, Out>,
  placed: Placed<K, T>,
  name = "session_window",
): Operator<T, Out> {
  return { name, limits: [], open: (_, out) => openSessions(window, fold, placed, out) };
}

function openTumbling<K extends Key, T, Acc, Out>(
  { sizeNs, lateNs }: TumblingWindow,
  fold: Fold<K, T, Acc, Out>,
  { keyOf, timeOf, keysMax = KEYS_MAX }: Placed<K, T>,
  out: WindowOutputs<Out>,
): Stage<T> {
  if (sizeNs <= 0n) throw new RangeError(`Cannot open a window: its size is ${sizeNs} ns, not > 0`);
  interface Slot extends WindowSpan {
    readonly accs: Map<K, Acc>;
  }
  const slots = new Map<Nanos, Slot>();
  let closedNs: Nanos | undefined; // slots that end at or before this time have been emitted
  let held = 0;
  let recent: Slot | undefined;

  const slotAt = (atNs: Nanos): Slot => {
    if (recent !== undefined && atNs >= recent.startNs && atNs < recent.endNs) return recent;
    const startNs = atNs - ((atNs % sizeNs) + sizeNs) % sizeNs;
    recent = slots.get(startNs) ?? { startNs, endNs: startNs + sizeNs, accs: new Map() };
    return recent;
  };
  const close = (untilNs: Nanos): void => {
    const due = [...slots.values()].filter((slot) => slot.endNs <= untilNs);
    due.sort((a, b) => a.startNs < b.startNs ? -1 : 1);
    for (const slot of due) {
      slots.delete(slot.startNs);
      held -= slot.accs.size;
      for (const [key, acc] of slot.accs) out.emit(fold.result(acc, key, slot));
    }
    if (due.length > 0) recent = undefined;
  };
  return {
    push(record) {
      const slot = slotAt(timeOf(record));
      if (closedNs !== undefined && slot.endNs <= closedNs) return out.drop("late");
      const key = keyOf(record);
      let acc = slot.accs.get(key);
      if (acc === undefined) {
        if (held >= keysMax) return out.drop("windows_full");
        if (slot.accs.size === 0) slots.set(slot.startNs, slot);
        held++;
        acc = fold.start();
      }
      slot.accs.set(key, fold.add(acc, record));
    },
    advance(watermarkNs) {
      closedNs = watermarkNs - lateNs;
      if (held > 0) close(closedNs);
    },
    end: () => close(TIME_MAX),
    held: () => held,
    watermark: (watermarkNs) => watermarkNs - lateNs,
  };
}

interface OpenSession<K, Acc> {
  readonly key: K;
  firstNs: Nanos;
  lastNs: Nanos;
  acc: Acc;
}

function openSessions<K extends Key, T, Acc, Out>(
  { gapNs, lateNs }: SessionWindow,
  fold: MergingFold<K, T, Acc, Out>,
  { keyOf, timeOf, keysMax = KEYS_MAX }: Placed<K, T>,
  out: WindowOutputs<Out>,
): Stage<T> {
  if (gapNs <= 0n) throw new RangeError(`Cannot open a session: its gap is ${gapNs} ns, not > 0`);
  type Session = OpenSession<K, Acc>;
  const sessions = new Map<K, Session[]>();
  const closing = new Timers<Session>();
  let closedNs: Nanos | undefined;

  const remove = (session: Session): void => {
    const others = sessions.get(session.key)?.filter((other) => other !== session) ?? [];
    if (others.length === 0) sessions.delete(session.key);
    else sessions.set(session.key, others);
  };
  const close = (session: Session): void => {
    remove(session);
    const { key, acc, firstNs: startNs, lastNs } = session;
    out.emit(fold.result(acc, key, { startNs, endNs: lastNs + gapNs }));
  };
  const absorb = (into: Session, from: Session): void => {
    closing.cancel(from);
    remove(from);
    if (from.firstNs < into.firstNs) into.firstNs = from.firstNs;
    if (from.lastNs > into.lastNs) into.lastNs = from.lastNs;
    into.acc = fold.merge(into.acc, from.acc);
  };
  return {
    push(record) {
      const key = keyOf(record);
      const atNs = timeOf(record);
      const near = (sessions.get(key) ?? []).filter((session) =>
        atNs - session.lastNs < gapNs && session.firstNs - atNs < gapNs
      );
      let [found] = near;
      if (found === undefined) {
        if (closedNs !== undefined && atNs + gapNs <= closedNs) return out.drop("late");
        if (closing.size >= keysMax) return out.drop("windows_full");
        found = { key, firstNs: atNs, lastNs: atNs, acc: fold.start() };
        sessions.set(key, [...sessions.get(key) ?? [], found]);
      }
      if (atNs < found.firstNs) found.firstNs = atNs;
      if (atNs > found.lastNs) found.lastNs = atNs;
      found.acc = fold.add(found.acc, record);
      for (const other of near.slice(1)) absorb(found, other);
      closing.set(found, found.lastNs + gapNs + lateNs);
    },
    advance(watermarkNs) {
      closedNs = watermarkNs - lateNs;
      closing.fire(watermarkNs, close);
    },
    end: () => closing.fire(TIME_MAX, close),
    held: () => closing.size,
    watermark: (watermarkNs) => watermarkNs - lateNs,
  };
}
