// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { windowsOf } from "./time_windows.ts";

const second = 1_000_000_000n;
const all = { sinceNs: 0n, untilNs: 1_000n * second };

function shown(
  counts: readonly (readonly [atSeconds: number, spans: number])[],
  limits: { spans: number; marginSpans: number },
  range = all,
): string[] {
  const steps = counts.map(([at, spans]) => ({ startNs: BigInt(at) * second, spans }));
  return windowsOf(steps, second, range, limits).map((window) => {
    const [wide, since, until, end] = [
      window.wideSinceNs,
      window.sinceNs,
      window.untilNs,
      window.wideUntilNs,
    ].map((ns) => Number(ns) / 1e9);
    return `${wide} [${since} ${until}) ${end}`;
  });
}

Deno.test("where spans lie densely, windows and margins are short", () => {
  const dense = Array.from({ length: 6 }, (_, i) => [i, 100] as const);
  assert.deepEqual(shown(dense, { spans: 200, marginSpans: 100 }), [
    "-60 [0 2) 3",
    "1 [2 4) 5",
    "3 [4 6) 66",
  ]);
});

Deno.test("where they are few, a window has all of them, and margins are long", () => {
  const few = [[0, 1], [30, 1], [500, 1]] as const;
  assert.deepEqual(shown(few, { spans: 200, marginSpans: 100 }), ["-60 [0 501) 561"]);
});

Deno.test("a step with more than the limit is a window, with a step for margin", () => {
  const burst = [[0, 10], [1, 5_000], [2, 5_000], [3, 10]] as const;
  assert.deepEqual(shown(burst, { spans: 200, marginSpans: 100 }), [
    "-60 [0 1) 2",
    "-59 [1 2) 3",
    "1 [2 3) 63",
    "2 [3 4) 64",
  ]);
});

Deno.test("windows end where the range ends", () => {
  const range = { sinceNs: second / 2n, untilNs: 2n * second };
  const counts = [[0, 1], [1, 1], [2, 1]] as const;
  assert.deepEqual(shown(counts, { spans: 1, marginSpans: 9 }, range), [
    "-59.5 [0.5 1) 61",
    "-59 [1 2) 62",
  ]);
});
