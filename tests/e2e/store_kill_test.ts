// SPDX-License-Identifier: Apache-2.0
// A program killed while it stores spans loses none that was acknowledged.

import { equal, ok } from "node:assert/strict";
import { openStore } from "../../queries/store/store.ts";
import { startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";

const ROUNDS = 10;

e2e("store: kill -9 in mid-insert, ten times over, keeps every acknowledged span", {
  needs: [],
  timeoutMs: 240_000,
}, async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-kill-" });
  const path = `${folder}/spans.duckdb`;
  try {
    let atLeast = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      // Odd sizes, so that the kill falls at ever another point of write, sync and checkpoint.
      const batch = 700 * round + 13;
      await t.step(`round ${round}, ${batch} spans a batch`, async () => {
        atLeast = await writeAndKill(path, batch, atLeast, 3 + round % 4);
      });
    }
    await using store = await openStore({ path, readOnly: true });
    const sql = "SELECT count(*) AS n, count(DISTINCT span_id) AS ids, " +
      "(max(start_unix_ns) - min(start_unix_ns)) // 100000 + 1 AS numbers FROM spans";
    const [row] = (await store.query(sql)).rows();
    ok(Number(row?.["n"]) >= atLeast, `${row?.["n"]} stored, ${atLeast} acknowledged`);
    equal(row?.["ids"], row?.["n"], "no span is stored twice");
    equal(row?.["numbers"], row?.["n"], "no span is missing in between");
    const candidates = await store.query("SELECT count(*) AS n FROM link_candidates");
    equal(candidates.rows()[0]?.["n"], row?.["n"], "spans and candidates come in one commit");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Kills the writer after some more acknowledged batches; returns how many spans it was told of. */
async function writeAndKill(path: string, batch: number, atLeast: number, batches: number) {
  const script = new URL("store_writer.ts", import.meta.url).pathname;
  const flags = ["--no-prompt", "--no-check", "--unstable-worker-options"];
  await using writer = await startChild(Deno.execPath(), {
    args: ["run", ...flags, "--allow-read", "--allow-write", script, path, `${batch}`],
    stopSignal: "SIGKILL",
    ready: (child) => child.stdout().includes("opened"),
  });
  const opened = Number(/opened (\d+)/.exec(writer.stdout())?.[1]);
  ok(opened >= atLeast, `${opened} spans after reopening, ${atLeast} were acknowledged`);
  await until("acknowledged batches", () => counts(writer.stdout()).length >= batches, 60_000);
  await writer.stop();
  return counts(writer.stdout()).at(-1) ?? opened;
}

/** A line cut by the kill tells nothing, so only whole lines count. */
function counts(output: string): number[] {
  return [...output.matchAll(/acknowledged (\d+)\n/g)].map(([, count]) => Number(count));
}
