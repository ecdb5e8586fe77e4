// SPDX-License-Identifier: Apache-2.0
// The options of `deno task fuzz`.

export interface FuzzOptions {
  readonly seed: number;
  readonly forMs: number;
  readonly cases: number;
  /** Number of the first case. */
  readonly from: number;
  readonly captures: string;
}

const USAGE = `Usage: deno task fuzz [--for 60s] [--cases N] [--seed N] [--case N] [--captures DIR]

Mutated traffic through all decoders. Prints the seed, and of a failure the case's number.

  --for TIME      stop after this time, as 60s or 5m (default: 60s)
  --cases N       stop after so many cases
  --seed N        the same cases again (default: by chance)
  --case N        that case only
  --captures DIR  capture files to start from, besides the fixtures`;

/** The options, or what to print instead. */
export function parseOptions(args: readonly string[]): FuzzOptions | string {
  let seed = Math.floor(Math.random() * 1_000_000), forMs = 60_000, cases = Infinity, from = 0;
  let captures = "../shared/golden/deepflow";
  for (let i = 0; i < args.length; i += 2) {
    const [name, value = ""] = [args[i], args[i + 1]];
    const time = /^(\d+)(s|m|h)$/.exec(value);
    if (name === "--for" && time !== null) {
      forMs = Number(time[1]) * { s: 1_000, m: 60_000, h: 3_600_000 }[time[2] as "s" | "m" | "h"];
    } else if (name === "--captures" && value !== "") captures = value;
    else if (!/^\d+$/.test(value)) return USAGE;
    else if (name === "--cases") cases = Number(value);
    else if (name === "--seed") seed = Number(value);
    else if (name === "--case") [from, cases] = [Number(value), 1];
    else return USAGE;
  }
  if (cases !== Infinity && !args.includes("--for")) forMs = Infinity;
  return { seed, forMs, cases, from, captures };
}
