// SPDX-License-Identifier: Apache-2.0
// A program that stores spans without end and says how many are acknowledged: something to kill.
//
//   store_writer.ts FILE BATCH

import { makeRevision } from "../../queries/store/span_fixture.ts";
import { openStore } from "../../queries/store/store.ts";

if (import.meta.main) await main(Deno.args[0] ?? "", Number(Deno.args[1]));

async function main(path: string, batch: number): Promise<void> {
  const store = await openStore({ path });
  const [row] = (await store.query("SELECT count(*) AS n FROM spans")).rows();
  let stored = Number(row?.["n"]);
  console.log(`opened ${stored}`);
  while (true) {
    const revisions = Array.from({ length: batch }, (_, i) => makeRevision(stored + i));
    const outcome = await store.insertSpans(revisions);
    if (outcome.dropped > 0) throw new Error(store.stats().problem);
    stored += outcome.stored;
    console.log(`acknowledged ${stored}`);
  }
}
