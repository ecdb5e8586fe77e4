// SPDX-License-Identifier: Apache-2.0
// `deno task fuzz --for 60s [--seed N]`: mutated talks through the decode chain, each case told by
// its number. A worker runs them; this thread sees when one does not come back.

import type { Order, Told } from "./fuzz_worker.ts";
import { CANARIES } from "./canary.ts";
import { parseOptions } from "./options.ts";

/** A case that takes longer does not end. */
const STUCK_MS = 10_000;
const CANARY_CASES = 20_000;

interface Outcome {
  readonly cases: number;
  readonly messages: number;
  /** What did not hold, null where all did. */
  readonly broken: string | null;
  readonly claims: readonly string[];
}

function run(order: Order, stuckMs: number): Promise<Outcome> {
  const worker = new Worker(new URL("fuzz_worker.ts", import.meta.url), { type: "module" });
  let cases = 0, messages = 0;
  let begun = false;
  return new Promise((resolve) => {
    const finish = (broken: string | null, claims: readonly string[] = []) => {
      clearTimeout(timer);
      worker.terminate();
      resolve({ cases, messages, broken, claims });
    };
    const stuck = () =>
      !begun ? finish("the worker does not start") : finish(
        `one of the cases ${order.from + cases} to ${order.from + cases + 200} does not end`,
      );
    let timer = setTimeout(stuck, stuckMs + 20_000);
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      begun = true;
      clearTimeout(timer);
      timer = setTimeout(stuck, stuckMs);
      if (data.kind === "broken") {
        return finish(`case ${data.case}: ${data.what}\n${data.why}`);
      }
      ({ cases, messages } = data);
      if (data.kind === "done") finish(null, data.claims);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      finish(event.message);
    };
    worker.postMessage(order);
  });
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === "string") {
    console.log(options);
    return args.includes("--help") ? 0 : 2;
  }
  const { seed, forMs, cases, from, captures } = options;
  console.log(`seed ${seed}`);
  for (const { name } of from > 0 ? [] : CANARIES) {
    const order = { seed, forMs: 60_000, cases: CANARY_CASES, from: 0, captures, canary: name };
    const { broken, cases: needed } = await run(order, 3_000);
    const found = broken?.includes(name === "loops" ? "does not end" : `canary_${name}`) === true;
    console.log(`canary ${name}: ${found ? `found within ${needed + 200} cases` : "NOT FOUND"}`);
    if (!found) return failed(broken ?? "", seed);
  }
  const started = performance.now();
  const outcome = await run({ seed, forMs, cases, from, captures, canary: "" }, STUCK_MS);
  const seconds = (performance.now() - started) / 1_000;
  const rate = Math.round(outcome.cases / seconds);
  console.log(`${outcome.cases} cases, ${outcome.messages} messages, ${rate} cases/s`);
  for (const line of outcome.claims) console.log(line);
  if (outcome.broken === null) {
    return outcome.claims.some((line) => line.startsWith("FAILED")) ? 1 : 0;
  }
  return failed(outcome.broken, seed);
}

function failed(why: string, seed: number): number {
  console.error(`${why}\nAgain: deno task fuzz --seed ${seed} --case NUMBER`);
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
