// SPDX-License-Identifier: Apache-2.0
// What has become of requests that ended, on every way that still leads to the present. Ways that
// meet share their future, so how likely each past is was settled when they met.

import type { Contest } from "./shape/overtaking.ts";
import type { Path } from "./shape/path.ts";

export type History = Ended | Met;

/** A request ended with this path. */
interface Ended {
  readonly kind: "ended";
  readonly order: number;
  readonly path: Path;
  readonly contest: Contest | null;
  readonly before: History | null;
  share: number;
}

/** Ways met. */
interface Met {
  readonly kind: "met";
  readonly order: number;
  /** The best way first. */
  readonly pasts: readonly Past[];
  share: number;
}

interface Past {
  readonly history: History | null;
  /** How likely this past is among them. */
  readonly share: number;
}

/** What is told of ended requests once their past is settled. */
export interface Judgement {
  /** A path that a request may have taken; it is as likely as its share tells. */
  readonly onPath: (path: Path) => void;
  /** So likely a call was sent with others waiting to send such a call. */
  readonly onContest: (contest: Contest, share: number) => void;
}

export function ended(path: Path, contest: Contest | null, before: History | null): History {
  return { kind: "ended", order: orderAfter(before), path, contest, before, share: 0 };
}

/** `pasts` with their costs, the best way first. */
export function met(pasts: readonly (readonly [History | null, number])[]): History | null {
  const [only] = pasts;
  if (only === undefined || pasts.length === 1) return only?.[0] ?? null;
  const least = pasts.reduce((min, [, cost]) => Math.min(min, cost), Infinity);
  const whole = pasts.reduce((sum, [, cost]) => sum + Math.exp(least - cost), 0);
  return {
    kind: "met",
    order: pasts.reduce((max, [history]) => Math.max(max, orderAfter(history)), 0),
    pasts: pasts.map(([history, cost]) => ({ history, share: Math.exp(least - cost) / whole })),
    share: 0,
  };
}

const orderAfter = (history: History | null) => history === null ? 0 : history.order + 1;

/** The paths of the best way, the latest first. */
export function* bestPaths(last: History | null): Generator<Path> {
  for (let at = last; at !== null;) {
    if (at.kind === "ended") {
      yield at.path;
      at = at.before;
    } else at = at.pasts[0]?.history ?? null;
  }
}

/** Tells all paths how likely they are, and the judge. */
export function shareOut(last: History | null, judgement: Judgement): void {
  if (last === null) return;
  last.share = 1;
  const paths = new Set<Path>();
  for (const at of latestFirst(last)) {
    if (at.kind === "met") {
      for (const { history, share } of at.pasts) {
        if (history !== null) history.share += share * at.share;
      }
      continue;
    }
    at.path.share += at.share;
    paths.add(at.path);
    if (at.before !== null) at.before.share += at.share;
    for (let contest = at.contest; contest !== null; contest = contest.before) {
      judgement.onContest(contest, at.share);
    }
  }
  for (const path of paths) judgement.onPath(path);
}

/** All that leads to it, in an order in which nothing comes before what follows from it. */
function latestFirst(last: History): History[] {
  const found = new Set<History>([last]);
  for (const at of found) {
    const befores = at.kind === "ended" ? [at.before] : at.pasts.map(({ history }) => history);
    for (const before of befores) if (before !== null) found.add(before);
  }
  return [...found].sort((a, b) => b.order - a.order);
}
