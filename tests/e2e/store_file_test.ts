// SPDX-License-Identifier: Apache-2.0
// The store on a file, with the real engine and real files.

import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { KEEP_ON_DISK } from "../../queries/store/keep.ts";
import { makeRevision } from "../../queries/store/span_fixture.ts";
import { openStore, type Store } from "../../queries/store/store.ts";
import { runToEnd } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";

async function countSpans(store: Store): Promise<number> {
  const [row] = (await store.query("SELECT count(*) AS n FROM spans")).rows();
  return Number(row?.["n"]);
}

function insert(store: Store, from: number, length: number) {
  return store.insertSpans(Array.from({ length }, (_, i) => makeRevision(from + i)));
}

/** Names of the files of a folder that this process has open, once for each time. */
async function openFiles(folder: string): Promise<string[]> {
  // A descriptor that closes while it is listed is no failure.
  const list = `ls -l /proc/${Deno.pid}/fd || true`;
  const listing = await runToEnd("sh", { args: ["-c", list] });
  const paths = listing.split("\n").map((line) => line.split(" -> ")[1] ?? "");
  const ours = paths.filter((path) => path.startsWith(`${folder}/`));
  return ours.map((path) => path.slice(folder.length + 1)).sort();
}

async function metaValue(store: Store, key: string): Promise<string> {
  const [row] = (await store.query("SELECT value FROM store_meta WHERE key = ?", [key])).rows();
  return String(row?.["value"]);
}

e2e("store on a file: reopens, is read while written, keeps its bounds", {
  needs: [],
}, async (t) => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/spans.duckdb`;
  const keep = { ...KEEP_ON_DISK, spansMax: 3_000 };

  await t.step("spans survive closing", async () => {
    {
      await using store = await openStore({ path, keep, facts: { host: "web" } });
      equal((await insert(store, 0, 1_000)).stored, 1_000);
    }
    const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
    deepEqual(files, ["spans.duckdb"], "neither log nor lock stays behind");
    await using store = await openStore({ path, readOnly: true });
    equal(await countSpans(store), 1_000);
    equal(await metaValue(store, "host"), "web");
    equal(await metaValue(store, "clean_shutdown"), "true");
    deepEqual((await insert(store, 1_000, 1)).reason, "store_failed");
    match(store.stats().problem ?? "", /the store is read-only/);
  });

  await t.step("a reader sees what is acknowledged, and the writer goes on", async () => {
    await using writer = await openStore({ path, keep });
    await insert(writer, 1_000, 500);
    {
      await using reader = await openStore({ path, readOnly: true });
      await insert(writer, 1_500, 100);
      equal(await countSpans(reader), 1_500);
    }
    await writer.checkpoint();
    equal(await countSpans(writer), 1_600);
    await rejects(openStore({ path }), /^Error: Cannot open .*: process \d+ is using it/);
  });

  await t.step("files are opened once, and closed", async () => {
    {
      await using store = await openStore({ path, keep });
      for (let i = 0; i < 3; i++) {
        await insert(store, 1_600 + i, 1);
        await store.checkpoint();
      }
      deepEqual(await openFiles(folder), ["spans.duckdb", "spans.duckdb.lock", "spans.duckdb.wal"]);
    }
    deepEqual(await openFiles(folder), []);
  });

  await t.step("slices found again are dropped in their turn", async () => {
    await using store = await openStore({ path, keep });
    let expired = 0;
    for (let from = 1_603; from < 4_603; from += 500) {
      expired += (await insert(store, from, 500)).expired;
    }
    equal(expired, 4_603 - await countSpans(store));
    const [row] = (await store.query("SELECT count(*) AS n FROM link_candidates")).rows();
    equal(Number(row?.["n"]), await countSpans(store));
  });
  await Deno.remove(folder, { recursive: true });
});

e2e("store on a file: damage is told in one sentence", { needs: [] }, async (t) => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/spans.duckdb`;
  {
    await using store = await openStore({ path });
    await insert(store, 0, 1_000);
  }
  const whole = await Deno.readFile(path);

  await t.step("cut in half", async () => {
    await Deno.writeFile(path, whole.subarray(0, whole.length >> 1));
    await rejects(openStore({ path }), /^Error: Cannot open .*: the file is damaged; move it away/);
  });

  await t.step("another schema", async () => {
    await Deno.writeFile(path, whole);
    {
      await using store = await openStore({ path });
      await store.exec("UPDATE store_meta SET value = '999' WHERE key = 'schema_version'");
    }
    await rejects(openStore({ path }), /it holds schema version 999, this program writes \d+/);
    await rejects(openStore({ path, readOnly: true }), /schema version 999, .* read it by sql/);
    await using reader = await openStore({ path, readOnly: true, anySchema: true });
    const [row] = (await reader.query("SELECT count(*) AS n FROM spans")).rows();
    equal(Number(row?.["n"]) > 0, true);
  });
  await Deno.remove(folder, { recursive: true });
});

e2e("store: a clock that once was far in the future does not empty it", { needs: [] }, async () => {
  await using store = await openStore();
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const ends = [nowNs, 9_000_000_000_000_000_000n, nowNs + 1n];
  for (const [n, end_unix_ns] of ends.entries()) {
    const outcome = await store.insertSpans([makeRevision(n, { end_unix_ns })]);
    deepEqual(outcome, { stored: 1, dropped: 0, expired: 0 });
  }
  equal(await countSpans(store), 3);
});
