// SPDX-License-Identifier: Apache-2.0
// The calls of two requests that are divided anew, with all that does not depend on how the others
// are divided: found once, however many divisions are tried.

import { encloses } from "../evidence/nesting.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { type Line, lineOf, neighbour } from "./line.ts";
import { isBefore, outsideCost, ruleCost } from "./owner.ts";
import { causeNs } from "./story.ts";

export type Pair = readonly [Work, Work];

/** Whose a call is: the first work's, or the second one's. */
export type Side = 0 | 1;

export interface Contested {
  readonly call: Call;
  /** Whose it is as things are; null is nobody's. */
  readonly now: Side | null;
  /** Whether it may be given to the one, and to the other. */
  readonly may: readonly [boolean, boolean];
  /** What that costs by rules and time alone. */
  readonly costs: readonly [number, number];
  readonly line: Line;
  /** Place here of the call before it in its line; -1 if that is not among these. */
  readonly beforeAt: number;
  /**
   * When what calls of other requests follow from was read that stand before and after it in its
   * line; NaN if there is none.
   */
  readonly beforeNs: number;
  readonly afterNs: number;
}

/** By the time of sending. Null if there are none, or more than `max`. */
export function contestedBy(pair: Pair, max: number, program: ProgramState): Contested[] | null {
  const calls = callsOf(pair, program);
  if (calls.length === 0 || calls.length > max) return null;
  return calls.map((call) => contestedCall(call, calls, pair, program));
}

/** Calls of the works, and those of nobody that were sent meanwhile. */
function callsOf([first, second]: Pair, { strays }: ProgramState): Call[] {
  const calls = [...first.story, ...second.story];
  for (const call of strays) {
    if (encloses(first, call) || encloses(second, call)) calls.push(call);
  }
  return calls.sort((a, b) => a.sentNs - b.sentNs || a.orderBefore - b.orderBefore);
}

function contestedCall(
  call: Call,
  calls: readonly Call[],
  pair: Pair,
  { lines }: ProgramState,
): Contested {
  const [first, second] = pair;
  const line = lineOf(call, lines);
  const before = neighbour(call, -1, line);
  const after = neighbour(call, 1, line);
  return {
    call,
    now: call.placed === null ? null : call.placed === first ? 0 : 1,
    may: [mayBe(call, first), mayBe(call, second)],
    costs: [costOf(call, first), costOf(call, second)],
    line,
    beforeAt: before === undefined ? -1 : calls.indexOf(before),
    beforeNs: causeElsewhere(before, pair),
    afterNs: causeElsewhere(after, pair),
  };
}

function mayBe(call: Call, work: Work): boolean {
  return call.isFixed ? call.placed === work : isBefore(work, call);
}

function costOf(call: Call, work: Work): number {
  return ruleCost(call, work) + (encloses(work, call) ? 0 : outsideCost);
}

function causeElsewhere(call: Call | undefined, pair: Pair): number {
  const placed = call?.placed ?? null;
  if (call === undefined || placed === null || pair.includes(placed)) return NaN;
  return causeNs(call, placed, placed.story);
}

/** Something that happened: a response was read, a call sent, or a request answered. */
export interface Event {
  readonly what: "heard" | "sent" | "answered";
  readonly atNs: number;
  /** Of the call, or of the work. */
  readonly index: number;
}

/** In order; of what happened at once, as the kinds are named above. */
export function eventsOf(pair: Pair, calls: readonly Contested[]): Event[] {
  const sent: Event[] = [];
  const heard: Event[] = [];
  const answered: Event[] = [];
  for (let index = 0; index < calls.length; index++) {
    const call = calls[index]?.call;
    if (call === undefined) break;
    sent.push({ what: "sent", atNs: call.sentNs, index });
    if (call.doneNs !== Infinity) insert(heard, { what: "heard", atNs: call.doneNs, index });
  }
  for (const index of [0, 1] as const) {
    const atNs = pair[index].answerNs;
    if (atNs !== Infinity) insert(answered, { what: "answered", atNs, index });
  }
  return merge(heard, merge(sent, answered));
}

function insert(events: Event[], event: Event): void {
  let at = events.length;
  while (at > 0 && (events[at - 1]?.atNs ?? 0) > event.atNs) at--;
  events.splice(at, 0, event);
}

function merge(first: readonly Event[], second: readonly Event[]): Event[] {
  const merged: Event[] = [];
  let at = 0;
  for (const event of second) {
    for (let next = first[at]; next !== undefined && next.atNs <= event.atNs; next = first[at]) {
      merged.push(next);
      at++;
    }
    merged.push(event);
  }
  for (; at < first.length; at++) {
    const next = first[at];
    if (next !== undefined) merged.push(next);
  }
  return merged;
}
