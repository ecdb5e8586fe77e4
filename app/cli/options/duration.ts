// SPDX-License-Identifier: Apache-2.0
// A length of time as people type it: "500ms", "30s", "1h30m".

/** Milliseconds. Throws an Error whose message says what a duration looks like. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy)];
  const read = parts.reduce((length, part) => length + part[0].length, 0);
  if (text === "" || read !== text.length) throw new Error(`write it as 500ms, 30s, 5m or 1h30m`);
  const ms = parts.reduce((sum, part) => sum + Number(part[1]) * unitMs(part[2] ?? ""), 0);
  if (ms <= 0) throw new Error("it must be longer than nothing");
  if (ms > DURATION_MS_MAX) throw new Error("it must not be longer than 366 days");
  return ms;
}

const DURATION_MS_MAX = 366 * 86_400_000;

function unitMs(unit: string): number {
  switch (unit) {
    case "ms":
      return 1;
    case "s":
      return 1_000;
    case "m":
      return 60_000;
    case "h":
      return 3_600_000;
    default:
      return 86_400_000;
  }
}
