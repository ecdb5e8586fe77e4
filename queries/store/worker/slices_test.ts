// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal, throws } from "node:assert/strict";
import { HOUR } from "../../../model/time.ts";
import { KEEP_IN_MEMORY, KEEP_ON_DISK } from "../keep.ts";
import { openSlices, type Slice, type Slices } from "./slices.ts";

const START_NS = 1_700_000_000_000_000_000n;

/** A database that only remembers what it was told. */
function recordStatements() {
  const statements: string[] = [];
  return { statements, run: (sql: string) => statements.push(sql) };
}

function insert(slices: Slices, newestNs: bigint, spans: number): Slice {
  const slice = slices.current(newestNs);
  slice.spans += spans;
  slice.newestNs = newestNs;
  return slice;
}

Deno.test("slices: on disk one for three hours; the oldest goes after a day", () => {
  const { statements, run } = recordStatements();
  const slices = openSlices(run, KEEP_ON_DISK, []);
  const numbers: number[] = [];
  let expired = 0;
  for (let hour = 0n; hour < 28n; hour++) {
    numbers.push(insert(slices, START_NS + hour * HOUR, 10).number);
    expired += slices.expire(0);
  }
  deepEqual(numbers.slice(0, 7), [1, 1, 1, 2, 2, 2, 3]);
  equal(expired, 30, "the slice whose newest span is older than 24 h, not the one after it");
  const drops = statements.filter((sql) => sql.startsWith("DROP"));
  deepEqual(drops, ["DROP TABLE spans_slice_1", "DROP TABLE link_candidates_slice_1"]);
  equal(slices.spans, 250);
});

Deno.test("slices: never more spans, nor bytes, than asked for", () => {
  const slices = openSlices(() => 0, { ...KEEP_IN_MEMORY, spansMax: 800 }, []);
  let expired = 0;
  for (let batch = 0; batch < 100; batch++) {
    insert(slices, START_NS + BigInt(batch), 50);
    expired += slices.expire(0);
    equal(slices.spans <= 800, true);
  }
  equal(slices.spans + expired, 5_000);
  equal(slices.spans >= 700, true, "no more goes than an eighth");
  equal(slices.expire(10), 0);
  const small = openSlices(() => 0, { ...KEEP_ON_DISK, bytesMax: 800_000 }, []);
  insert(small, START_NS, 1_000);
  insert(small, START_NS + 1n, 1_000);
  equal(small.expire(799_999), 0);
  equal(small.expire(800_001), 1_000);
  equal(small.expire(800_001), 0, "the slice being filled stays");
});

Deno.test("slices: those of an earlier run are continued", () => {
  const known = [
    { number: 7, sinceNs: START_NS, newestNs: START_NS + HOUR, spans: 5, rows: 5 },
    { number: 8, sinceNs: START_NS + HOUR, newestNs: START_NS + HOUR, spans: 5, rows: 5 },
  ];
  const slices = openSlices(() => 0, KEEP_ON_DISK, known);
  equal(slices.current(START_NS + 2n * HOUR).number, 8);
  equal(slices.current(START_NS + 4n * HOUR).number, 9);
});

Deno.test("slices: a change that fails is as if it had not been", () => {
  let isFull = false;
  const statements: string[] = [];
  const slices = openSlices(
    (sql) => {
      if (isFull && sql.startsWith("CREATE")) throw new Error("the disk is full");
      return statements.push(sql);
    },
    KEEP_ON_DISK,
    [],
  );
  insert(slices, START_NS, 1);
  isFull = true;
  throws(() => slices.current(START_NS + 3n * HOUR), /the disk is full/);
  equal(statements.at(-1), "ROLLBACK");
  isFull = false;
  equal(slices.current(START_NS + 3n * HOUR).number, 2);
});

Deno.test("slices: revisions are looked for only where they can be", () => {
  const { statements, run } = recordStatements();
  const slices = openSlices(run, KEEP_ON_DISK, []);
  insert(slices, START_NS, 10);
  insert(slices, START_NS + 3n * HOUR, 10);
  statements.length = 0;
  const note = slices.removeRevised(START_NS + HOUR);
  equal(slices.spans, 20, "not before it is committed");
  note();
  equal(slices.spans, 19);
  deepEqual(statements, [
    `DELETE FROM spans_slice_2 WHERE start_unix_ns >= ${START_NS + HOUR} ` +
    "AND span_id IN (FROM revised)",
    "DELETE FROM link_candidates_slice_2 WHERE span_id IN (FROM revised)",
  ]);
});
