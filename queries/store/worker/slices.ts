// SPDX-License-Identifier: Apache-2.0
// Time slices: spans and candidates lie in one table per slice under a view, so that old data
// goes by dropping a table. (Deleting rows would take seconds and never shrink the file.)

import type { Nanos } from "../../../model/time.ts";
import { type Keep, type SliceBounds, sliceBounds } from "../keep.ts";
import { createSlice, createView, SLICED_NAMES, type SlicedName, sliceTable } from "../schema.ts";

/** A slice holds what ended in its time; a batch goes whole into one slice. */
export interface Slice {
  readonly number: number;
  sinceNs: Nanos;
  newestNs: Nanos;
  spans: number;
  /** Places taken in its table: removed spans leave theirs empty. */
  rows: number;
}

/** Runs a statement; returns how many rows it changed, where it changes rows. */
export type Run = (sql: string) => number;

export interface Slices {
  /** The slice that a batch with this newest end goes into; opens a new one when due. */
  current(newestNs: Nanos): Slice;
  /**
   * Removes the spans whose ids are in the table `revised`; they start at `fromNs` or later.
   * To be called in a transaction; returns what is to be called once that is committed.
   */
  removeRevised(fromNs: Nanos): () => void;
  /** Drops what is older or more than asked for; returns the spans dropped. */
  expire(databaseBytes: number): number;
  readonly spans: number;
  /** Rows of the newest slice. */
  readonly rows: number;
}

/** `known` are the slices found in the store, oldest first. */
export function openSlices(run: Run, keep: Keep, known: readonly Slice[]): Slices {
  const bounds: SliceBounds = sliceBounds(keep);
  let slices: readonly Slice[] = known.map((slice) => ({ ...slice }));
  const count = () => slices.reduce((sum, slice) => sum + slice.spans, 0);
  /** Changes tables and views together; what is known here follows only if that worked. */
  const change = (next: readonly Slice[], statements: readonly string[]) => {
    const numbers = next.map(({ number }) => number);
    const views = numbers.length === 0 ? [] : SLICED_NAMES.map((name) => createView(name, numbers));
    atomically(run, () => [...statements, ...views].forEach(run));
    slices = next;
  };
  const open = (sinceNs: Nanos): Slice => {
    const number = (slices.at(-1)?.number ?? 0) + 1;
    const slice = { number, sinceNs, newestNs: sinceNs, spans: 0, rows: 0 };
    change([...slices, slice], SLICED_NAMES.map((name) => createSlice(name, number)));
    return slice;
  };
  return {
    get spans() {
      return count();
    },
    get rows() {
      return slices.at(-1)?.rows ?? 0;
    },
    current: (newestNs) => {
      const last = slices.at(-1);
      if (last === undefined) return open(newestNs);
      if (last.spans === 0) {
        last.sinceNs = last.newestNs = newestNs;
        return last;
      }
      const isFull = last.spans >= bounds.spansMax || newestNs - last.sinceNs >= bounds.durationNs;
      return isFull ? open(newestNs) : last;
    },
    removeRevised: (fromNs) => {
      const removed: [Slice, number][] = [];
      for (const slice of slices) {
        if (slice.newestNs < fromNs || slice.spans === 0) continue;
        const isRevised = "span_id IN (FROM revised)";
        const spans = sliceTable("spans", slice.number);
        const candidates = sliceTable("link_candidates", slice.number);
        const deletion = `DELETE FROM ${spans} WHERE start_unix_ns >= ${fromNs} AND ${isRevised}`;
        removed.push([slice, run(deletion)]);
        run(`DELETE FROM ${candidates} WHERE ${isRevised}`);
      }
      return () => removed.forEach(([slice, count]) => slice.spans -= count);
    },
    expire: (databaseBytes) => {
      const oldest = slices[0];
      const newest = slices.at(-1);
      if (oldest === undefined || newest === undefined || oldest === newest) return 0;
      const isDue = newest.newestNs - oldest.newestNs > keep.durationNs ||
        count() > keep.spansMax || databaseBytes > keep.bytesMax;
      if (!isDue) return 0;
      const drops = SLICED_NAMES.map((name) => `DROP TABLE ${sliceTable(name, oldest.number)}`);
      change(slices.slice(1), drops);
      return oldest.spans;
    },
  };
}

/** All of `work` or nothing. */
export function atomically<T>(run: Run, work: () => T): T {
  run("BEGIN TRANSACTION");
  try {
    const result = work();
    run("COMMIT");
    return result;
  } catch (error) {
    try {
      run("ROLLBACK");
    } catch {
      // A failed commit has ended the transaction already; the first error tells more.
    }
    throw error;
  }
}

/** Statement that tells of every slice table what `Slice` holds; one row per slice. */
export function sliceFacts(numbers: readonly number[]): string {
  return numbers.map((number) =>
    `SELECT ${number} AS number, min(start_unix_ns) AS since_ns, max(end_unix_ns) AS newest_ns, ` +
    `count(*) AS spans, coalesce(max(rowid) + 1, 0) AS rows FROM ${sliceTable("spans", number)}`
  ).join(" UNION ALL ");
}

/** The number in a slice table's name, if it is one. */
export function sliceNumber(table: string, name: SlicedName): number | undefined {
  const prefix = sliceTable(name, 0).slice(0, -1);
  const number = Number(table.slice(prefix.length));
  return table.startsWith(prefix) && Number.isInteger(number) ? number : undefined;
}
