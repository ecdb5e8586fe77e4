// SPDX-License-Identifier: Apache-2.0
// An end-to-end test: runs alone on the machine, says why when it cannot run, and is counted.

import { within } from "./deadline.ts";
import { type Need, requires } from "./requirements.ts";

export interface E2eOptions {
  readonly needs: readonly Need[];
  /** Limit of the whole test, its turn once come; a hung program must not hang the lane. */
  readonly timeoutMs?: number;
}

/**
 * Registers a test that needs `needs` of the machine. Where one is missing the test is skipped:
 * `SKIP name: needs x: reason` is printed, and the run counts it. With `SPANDREL_REQUIRE` (needs
 * with commas between them, or `all`) it fails instead, so that CI cannot pass by skipping.
 */
export function e2e(
  name: string,
  { needs, timeoutMs = 120_000 }: E2eOptions,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const lacking = needs.map((need) => ({ need, reason: requires(need) }))
    .find(({ reason }) => reason !== null);
  if (lacking === undefined) {
    Deno.test({ name, fn: (t) => whileAlone(() => within(`${name} end`, fn(t), timeoutMs)) });
    return;
  }
  const why = `needs ${lacking.need}: ${lacking.reason}`;
  const mustRun = (Deno.env.get("SPANDREL_REQUIRE") ?? "").split(",");
  const isRequired = mustRun.includes(lacking.need) || mustRun.includes("all");
  if (!isRequired) console.log(`SKIP ${name}: ${why}`);
  Deno.test({
    name,
    ignore: !isRequired,
    fn: () => {
      throw new Error(`Cannot run this test, which must run here: it ${why}`);
    },
  });
}

/** Kernel-wide state (probes, the ring, other people's spans) admits one test at a time. */
export async function whileAlone<T>(fn: () => Promise<T>): Promise<T> {
  const path = `${Deno.env.get("TMPDIR") ?? "/tmp"}/spandrel-kernel-tests.lock`;
  using lock = await Deno.open(path, { create: true, write: true });
  if (!await lock.tryLock(true)) {
    console.error(`waiting for another run of end-to-end tests to release ${path}`);
    await lock.lock(true);
  }
  return await fn();
}
