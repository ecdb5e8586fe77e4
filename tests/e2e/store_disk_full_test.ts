// SPDX-License-Identifier: Apache-2.0
// A full disk, and one that cannot be written at all: what was acknowledged stays, what is not
// stored is counted, and storing goes on as soon as there is room.

import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { makeRevision } from "../../queries/store/span_fixture.ts";
import { openStore, type Store } from "../../queries/store/store.ts";
import { runToEnd } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";

const BATCH = 2_000;

e2e("store: a full disk is told, nothing acknowledged is lost, storing resumes", {
  needs: ["root"],
}, async (t) => {
  await using disk = await mountSmall("24m");
  const path = `${disk.path}/spans.duckdb`;
  const ballast = `${disk.path}/ballast`;
  let stored = 0;
  {
    await using store = await openStore({ path });
    const insert = async () => {
      const outcome = await insertBatch(store, stored);
      stored += outcome.stored;
      return outcome;
    };
    await insert();

    await t.step("a log that cannot grow", async () => {
      await Deno.writeFile(ballast, new Uint8Array(18_000_000));
      const outcome = await until("a full disk", async () => {
        const outcome = await insert();
        return outcome.dropped > 0 && outcome;
      });
      deepEqual(outcome, { stored: 0, dropped: BATCH, reason: "store_failed", expired: 0 });
      equal(store.stats().problem, "the disk is full");
      equal(await countSpans(store), stored);
      await Deno.remove(ballast);
      equal((await insert()).stored, BATCH);
      equal(store.stats().problem, undefined);
    });

    await t.step(
      "a checkpoint that cannot be written breaks the engine, which is replaced",
      async () => {
        await fill(ballast);
        await rejects(store.checkpoint(), /the disk is full/);
        equal((await insert()).reason, "store_failed");
        await Deno.remove(ballast);
        await until("storing again", async () => (await insert()).stored > 0, 30_000);
        equal(await countSpans(store), stored);
      },
    );
  }
  await using store = await openStore({ path, readOnly: true });
  equal(await countSpans(store), stored);
});

e2e("store: a disk that is read-only is told, and can be read", { needs: ["root"] }, async () => {
  await using disk = await mountSmall("24m");
  const path = `${disk.path}/spans.duckdb`;
  {
    await using store = await openStore({ path });
    await insertBatch(store, 0);
  }
  await runToEnd("mount", { args: ["-o", "remount,ro", disk.path] });
  await rejects(openStore({ path }), (error: Error) => {
    match(error.message, /^Cannot open .*spans\.duckdb: its file system is read-only$/);
    return true;
  });
  await using store = await openStore({ path, readOnly: true });
  equal(await countSpans(store), BATCH);
});

function insertBatch(store: Store, from: number) {
  return store.insertSpans(Array.from({ length: BATCH }, (_, i) => makeRevision(from + i)));
}

async function countSpans(store: Store): Promise<number> {
  const [row] = (await store.query("SELECT count(*) AS n FROM spans")).rows();
  return Number(row?.["n"]);
}

async function mountSmall(size: string) {
  const path = await Deno.makeTempDir({ prefix: "spandrel-disk-" });
  await runToEnd("mount", { args: ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path] });
  const unmount = async () => {
    await runToEnd("umount", { args: ["--lazy", path] });
    await Deno.remove(path);
  };
  return { path, [Symbol.asyncDispose]: unmount };
}

/** Writes until nothing more fits. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const block = new Uint8Array(4096);
  try {
    while (true) await file.write(block);
  } catch (error) {
    match(String(error), /os error 28/);
  }
}
