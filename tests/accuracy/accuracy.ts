// SPDX-License-Identifier: Apache-2.0
// How right traces are, told as tables. What it can do is in HELP below.

import { parseArgs } from "node:util";
import { showDataSets } from "./dataset/show_data_sets.ts";
import { showStoredAccuracy } from "../../app/accuracy/stored_accuracy.ts";
import { live } from "./live.ts";
import { coverageText } from "./live/coverage.ts";
import { markdownTables } from "./live/markdown_table.ts";
import { showReplayed } from "./replayed.ts";

const HELP = `How right traces are, told as tables.

  deno task accuracy [--program NAME]… [--concurrency 1,8,64] [--full] [--cold] [--keep FOLDER]
      [--node-context]
      real programs under load, traced by the kernel (root); --full: 5,000 links a cell;
      --cold: nothing learned before; --keep: the recordings go into FOLDER;
      --node-context: as option of trace
  deno task accuracy --list           shapes of work, and which programs have them
  deno task accuracy --replay         recordings of real programs, and simulated services; no root
  deno task accuracy --dataset PATH   by times alone: a data set with ground truth, or a folder
  deno task accuracy --db FILE        links of stored spans, as ids in the traffic tell

  deno task accuracy --markdown FILE  rows that --json printed, as the tables of the documentation

With --json one line per row. Exit code 1 where the target of wrong merges is missed, 2 on wrong
usage.

Examples
  deno task accuracy --program node_pool,go --concurrency 8,256
  deno task accuracy --db spans.duckdb`;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  try {
    const options = optionsIn(args);
    if (options.help) console.log(HELP);
    else if (options.list) console.log(coverageText());
    else if (options.markdown !== undefined) {
      console.log(markdownTables(await Deno.readTextFile(fromCaller(options.markdown))));
    } else if (options.db !== undefined) {
      await showStoredAccuracy(fromCaller(options.db), options.json);
    } else if (options.dataset !== undefined) {
      return await showDataSets(fromCaller(options.dataset), options.json) ? 0 : 2;
    } else if (options.replay) await showReplayed(options.json);
    else return await live(options) ? 0 : 1;
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

function optionsIn(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: "boolean", short: "h", default: false },
      dataset: { type: "string" },
      db: { type: "string" },
      list: { type: "boolean", default: false },
      markdown: { type: "string" },
      replay: { type: "boolean", default: false },
      program: { type: "string", multiple: true, default: [] },
      concurrency: { type: "string", default: "1,8,64" },
      json: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      cold: { type: "boolean", default: false },
      "node-context": { type: "boolean", default: false },
      keep: { type: "string" },
    },
  });
  return {
    ...values,
    nodeContext: values["node-context"],
    keep: values.keep === undefined ? undefined : fromCaller(values.keep),
    programs: values.program.flatMap((names) => names.split(",")),
    concurrency: values.concurrency.split(",").map(clientsOf),
  };
}

/** A deno task runs in the project's folder; a path on its command line means the caller's. */
function fromCaller(path: string): string {
  const folder = Deno.env.get("INIT_CWD");
  return path.startsWith("/") || folder === undefined ? path : `${folder}/${path}`;
}

function clientsOf(text: string): number {
  const clients = Number(text);
  if (Number.isInteger(clients) && clients > 0 && clients <= 1_024) return clients;
  throw new Error(`Cannot run ${text} clients: give a number from 1 to 1024`);
}
