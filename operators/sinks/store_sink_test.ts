// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal } from "node:assert/strict";
import type { SpanRevision } from "../../model/span.ts";
import { ROW_GROUP_SPANS } from "../../queries/store/schema.ts";
import { makeRevision } from "../../queries/store/span_fixture.ts";
import type { InsertOutcome, Store } from "../../queries/store/store.ts";
import { storeSink } from "./store_sink.ts";

/** A store of which only the insert is used. */
function storeThat(insertBatch: Store["insertBatch"], rows = 0): Store {
  const unused = () => Promise.reject(new Error("not part of this test"));
  return {
    path: undefined,
    engineVersion: "",
    query: unused,
    exec: unused,
    insertSpans: unused,
    insertBatch,
    checkpoint: unused,
    stats: () => ({ inserted: 0, queued: 0, rows, expired: 0, dropped: {} }),
    close: unused,
    [Symbol.asyncDispose]: unused,
  };
}

const batch = (length: number): SpanRevision[] => Array.from({ length }, (_, i) => makeRevision(i));

async function run(store: Store | Promise<Store>, sizes: readonly number[]) {
  const drops: [string, number | undefined][] = [];
  const sink = storeSink({ store, whenFull: "drop" });
  await using stage = sink.open({ drop: (reason, n) => void drops.push([reason, n]) });
  for (const size of sizes) await stage.write(batch(size));
  await stage.end();
  return drops;
}

Deno.test("store sink: waits for the store, keeps the order, ends when all is stored", async () => {
  const stored: number[] = [];
  const { promise, resolve } = Promise.withResolvers<Store>();
  const done = run(promise, [1, 2, 3]);
  equal(stored.length, 0);
  resolve(storeThat(({ spanCount }) => {
    stored.push(spanCount);
    return Promise.resolve({ stored: spanCount, dropped: 0, expired: 0 });
  }));
  deepEqual(await done, []);
  deepEqual(stored, [1, 2, 3]);
});

Deno.test("store sink: a batch ends where a row group of the store is full", async () => {
  const stored: number[] = [];
  const store = storeThat(({ spanCount }) => {
    stored.push(spanCount);
    return Promise.resolve({ stored: spanCount, dropped: 0, expired: 0 });
  }, 2 * ROW_GROUP_SPANS - 5);
  const sink = storeSink({ store, whenFull: "drop" });
  await using stage = sink.open({ drop: () => {} });
  await Promise.resolve();
  const revised = makeRevision(3);
  await stage.write([...batch(5), { ...revised, span: { ...revised.span, revision: 1 } }]);
  await stage.end();
  await stage.write(batch(7));
  await stage.end();
  deepEqual(stored, [5, 5, 2], "a later revision of a span takes no row");
});

Deno.test("store sink: only so many batches wait for the store", async () => {
  const replies: (() => void)[] = [];
  const store = storeThat(({ spanCount }) =>
    new Promise((resolve) =>
      replies.push(() => resolve({ stored: spanCount, dropped: 0, expired: 0 }))
    )
  );
  const sink = storeSink({ store, whenFull: "block" });
  await using stage = sink.open({ drop: () => {} });
  await Promise.resolve();
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 4; i++) {
      await stage.write(batch(4_096));
      written++;
    }
  })();
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  equal(written, 2);
  for (let turn = 0; turn < 200; turn++) {
    replies.shift()?.();
    await Promise.resolve();
  }
  await writing;
  equal(written, 4);
});

Deno.test("store sink: what is not stored is counted by reason", async () => {
  const outcomes: InsertOutcome[] = [
    { stored: 5, dropped: 0, expired: 40 },
    { stored: 0, dropped: 6, expired: 0, reason: "store_failed" },
  ];
  const store = storeThat(() => {
    const next = outcomes.shift();
    return next === undefined ? Promise.reject(new Error("gone")) : Promise.resolve(next);
  });
  deepEqual(await run(store, [5, 6, 7]), [
    ["retention", 40],
    ["store_failed", 6],
    ["store_failed", 7],
  ]);
});

Deno.test("store sink: a store that cannot be opened drops, and capture goes on", async () => {
  const refused = Promise.reject(new Error("Cannot open spans.db: it is a directory"));
  deepEqual(await run(refused, [3, 4]), [["store_failed", 3], ["store_failed", 4]]);
});
