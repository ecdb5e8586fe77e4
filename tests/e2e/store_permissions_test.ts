// SPDX-License-Identifier: Apache-2.0
// The store's worker reaches its own files and nothing else, although this process may do more.

import { deepEqual, equal, ok } from "node:assert/strict";
import { openStore } from "../../queries/store/store.ts";
import { within } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import type { Attempts } from "./store_permission_probe.ts";

e2e("store: the worker may not use network, programs, libraries, environment, other files", {
  needs: [],
}, async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/spans.duckdb`;
  const options = await seenWorkerOptions(async () => {
    await using store = await openStore({ path });
    equal((await store.query("SELECT 1 AS one")).rowCount, 1);
  });
  const attempts = await probe(options, path);
  const { "own file": ownFile, ...others } = attempts;
  equal(ownFile, "allowed");
  ok(Object.keys(others).length >= 8);
  for (const [what, outcome] of Object.entries(others)) equal(outcome, "NotCapable", what);

  const everything = await probe({ type: "module" }, path);
  const allowed = Object.entries(everything).filter(([, outcome]) => outcome !== "NotCapable");
  deepEqual(allowed.map(([what]) => what), Object.keys(everything), "here they would be allowed");
  await Deno.remove(folder, { recursive: true });
});

/** The options of the one worker that `work` starts. */
async function seenWorkerOptions(work: () => Promise<void>): Promise<WorkerOptions> {
  const Original = globalThis.Worker;
  const seen: WorkerOptions[] = [];
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options !== undefined) seen.push(options);
    }
  };
  try {
    await work();
  } finally {
    globalThis.Worker = Original;
  }
  const [options] = seen;
  ok(options !== undefined && seen.length === 1, "one worker was started");
  return options;
}

async function probe(options: WorkerOptions, path: string): Promise<Attempts> {
  const worker = new Worker(new URL("./store_permission_probe.ts", import.meta.url), options);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Attempts>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(path);
    return await within("the probe's answer", promise);
  } finally {
    worker.terminate();
  }
}
