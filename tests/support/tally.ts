// SPDX-License-Identifier: Apache-2.0
// Counts of tests, as read from the closing line of `deno test`.

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The counts in `deno test` output of any reporter; undefined when it ended without counting. */
export function parseTally(output: string): Tally | undefined {
  // deno-lint-ignore no-control-regex -- terminal colours are control sequences
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const closing = [...plain.matchAll(/^(?:ok|FAILED) \| (\d+ passed.*)$/gm)].at(-1)?.[1];
  if (closing === undefined) return undefined;
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(closing)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
}

export function addTally(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}
