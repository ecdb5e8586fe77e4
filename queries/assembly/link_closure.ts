// SPDX-License-Identifier: Apache-2.0
// What a span leads to by ids and sequence numbers alone, within the spans of a time range.
//
// Most of a trace hangs together by numbers. Following them over the columns of a short range takes
// one query, where following them step by step takes one for each level of the trace.

/** One entry per span of the range, in any order. */
export interface LinkColumns {
  readonly spanIds: ArrayLike<bigint>;
  /** Null without a parent, or if the link to it is too weak to be drawn. */
  readonly parentIds: ArrayLike<bigint | null>;
  readonly requestSeqs: ArrayLike<number | null>;
  /** Start in whole microseconds after that of the range. */
  readonly startsUs: ArrayLike<number>;
}

export interface Closure {
  /** Ids of all spans that can be reached from those given, which are left out. */
  readonly ids: bigint[];
  /** Of those spans; what lies between holds few others. */
  readonly firstUs: number;
  readonly lastUs: number;
}

/** What can be reached from the spans given; at most `max` spans. */
export function closureOf(
  columns: LinkColumns,
  fromIds: Iterable<bigint>,
  max: number,
): Closure {
  const { spanIds, parentIds, requestSeqs, startsUs } = columns;
  const byId = new Map<bigint, number>();
  const byParent = new Map<bigint, number[]>();
  const bySeq = new Map<number, number[]>();
  for (let row = 0; row < spanIds.length; row++) {
    byId.set(spanIds[row] ?? 0n, row);
    add(byParent, parentIds[row] ?? null, row);
    add(bySeq, requestSeqs[row] ?? null, row);
  }
  const given = new Set(fromIds);
  const reached = new Set<bigint>(given);
  for (const id of reached) {
    if (reached.size - given.size >= max) break;
    const row = byId.get(id);
    const next = [...byParent.get(id) ?? []];
    if (row !== undefined) {
      const parent = byId.get(parentIds[row] ?? 0n);
      if (parent !== undefined) next.push(parent);
      next.push(...bySeq.get(requestSeqs[row] ?? -1) ?? []);
    }
    for (const each of next) reached.add(spanIds[each] ?? 0n);
  }
  const ids = [...reached].filter((id) => !given.has(id)).slice(0, max);
  const starts = ids.map((id) => startsUs[byId.get(id) ?? 0] ?? 0);
  const firstUs = starts.reduce((first, us) => Math.min(first, us), Infinity);
  return { ids, firstUs, lastUs: starts.reduce((last, us) => Math.max(last, us), 0) };
}

function add<K>(rows: Map<K, number[]>, key: K | null, row: number): void {
  if (key === null) return;
  const known = rows.get(key);
  if (known === undefined) rows.set(key, [row]);
  else known.push(row);
}
