// SPDX-License-Identifier: Apache-2.0
// What each lane of tests runs, with which permissions. The one place that lists them.

export const laneNames = ["static", "unit", "integration", "e2e"] as const;
export type Lane = typeof laneNames[number];

/** One `deno` command of a lane; `countsTests` when it prints deno test's closing line. */
export interface Step {
  readonly name: string;
  readonly args: readonly string[];
  readonly countsTests: boolean;
}

interface TestOptions {
  readonly paths: readonly string[];
  readonly filter: string | undefined;
  readonly junit: string | undefined;
}

/** `checked`: types are checked by the static lane of the same run, so tests need not repeat it. */
export function stepsOf(
  lane: Lane,
  { tests, checked }: { tests: TestOptions | undefined; checked: boolean },
): Step[] {
  if (lane === "static") return staticSteps;
  const { paths = [], filter, junit } = tests ?? { filter: undefined, junit: undefined };
  return [{
    name: testsOf[lane],
    countsTests: true,
    args: [
      "test",
      "--no-prompt",
      "--unstable-worker-options",
      "--sanitize-ops",
      "--sanitize-resources",
      "--permit-no-files",
      ...(lane === "e2e" ? e2eFlags : unitFlags()),
      ...(checked ? ["--no-check"] : []),
      ...(filter === undefined ? [] : [`--filter=${filter}`]),
      ...(junit === undefined ? [] : [`--junit-path=${junit}`]),
      ...(paths.length > 0 ? paths : ["tests/e2e/"]),
    ],
  }];
}

const testsOf = {
  unit: "unit, property and golden tests",
  integration:
    "tests that take seconds: the store, recordings of programs, learning from thousands of calls",
  e2e: "end-to-end tests on this kernel",
} as const;

const staticSteps: Step[] = [
  { name: "fmt", args: ["fmt", "--check"], countsTests: false },
  { name: "lint", args: ["lint", "--quiet"], countsTests: false },
  {
    name: "check",
    args: ["check", "--quiet", "--unstable-worker-options", "."],
    countsTests: false,
  },
];

/**
 * Temporary files are all that a unit test may write, golden files when they are to be rewritten;
 * the network, programs and libraries are shut.
 */
const unitFlags = () => [
  "--quiet",
  "--parallel",
  "--reporter=dot",
  "--ignore=tests/e2e,tests/bench",
  "--allow-read",
  `--allow-write=${Deno.env.get("TMPDIR") ?? "/tmp"}${
    Deno.env.has("UPDATE_GOLDEN") ? ",tests/golden" : ""
  }`,
  "--allow-env",
];

/** Servers are started as child processes and libbpf is loaded, so run and ffi are open here. */
const e2eFlags = [
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-ffi",
  "--allow-env",
  "--allow-net=127.0.0.1,[::1],localhost",
  "--allow-sys",
];
