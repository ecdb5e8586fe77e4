// SPDX-License-Identifier: Apache-2.0
// The front end of all tests: runs the lanes named on the command line, streams what they print,
// and closes with one line that people and machines read: `N passed, N failed, N skipped`.
//
//   tests/run.ts LANE... [--junit FILE] [--filter TEXT] [PATH...]
//   LANE: static | unit | integration | e2e
//
// All lanes but e2e start at once and are shown in order; e2e runs last and alone, because its
// tests share the kernel. Exit code: 0 all passed, 1 something failed, 2 wrong usage.

import { type Lane, laneNames, stepsOf } from "./support/lanes.ts";
import { mergeJunit } from "./support/junit.ts";
import { type TestModules, writeTestModules } from "./support/test_modules.ts";
import { addTally, parseTally, type Tally } from "./support/tally.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

interface Options {
  readonly lanes: readonly Lane[];
  readonly paths: readonly string[];
  readonly filter: string | undefined;
  readonly junit: string | undefined;
}

/** One command of a lane, as it was started. */
interface Running {
  readonly name: string;
  readonly countsTests: boolean;
  readonly child: Deno.ChildProcess;
  readonly startedMs: number;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  await using modules = await writeTestModules(Deno.cwd(), navigator.hardwareConcurrency);
  const skips: string[] = [];
  const reports: string[] = [];
  let total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const exclusive of [false, true]) {
    const lanes = options.lanes.filter((lane) => (lane === "e2e") === exclusive);
    const running = lanes.flatMap((lane) => start(lane, pathsOf(lane, options, modules), reports));
    for (const step of running) total = addTally(total, await finish(step, skips));
  }
  if (options.junit !== undefined) await writeJunit(options.junit, reports);
  if (skips.length > 0) console.log(`\nSkipped, each for its reason:\n${skips.join("\n")}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

function parse(args: readonly string[]): Options | string {
  const lanes: Lane[] = [];
  const paths: string[] = [];
  let junit: string | undefined;
  let filter: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const lane = laneNames.find((name) => name === arg);
    if (lane !== undefined) lanes.push(lane);
    else if (arg === "--junit" || arg === "--filter") {
      const value = args[++i];
      if (value === undefined) return `Cannot run tests: ${arg} needs a value after it`;
      if (arg === "--junit") junit = fromCaller(value);
      else filter = value;
    } else if (arg.startsWith("-") && arg !== "--") {
      return `Cannot run tests: unknown option ${arg}; known are --junit FILE and --filter TEXT`;
    } else if (arg !== "--") paths.push(arg);
  }
  if (lanes.length === 0) return `Cannot run tests: name a lane of ${laneNames.join(", ")}`;
  return { lanes, paths, junit, filter };
}

/** A deno task runs in the project's folder; a path on its command line means the caller's. */
function fromCaller(path: string): string {
  const folder = Deno.env.get("INIT_CWD");
  return path.startsWith("/") || folder === undefined ? path : `${folder}/${path}`;
}

/** Without paths on the command line, a lane takes all its tests by the module. */
function pathsOf(lane: Lane, options: Options, { paths }: TestModules): Options {
  const all = lane === "unit" || lane === "integration" ? paths[lane] : [];
  return options.paths.length === 0 ? { ...options, paths: all } : options;
}

function start(lane: Lane, options: Options, reports: string[]): Running[] {
  const tests = lane === "static" ? undefined : { ...options, junit: reportFile(options, reports) };
  const checked = options.lanes.includes("static");
  return stepsOf(lane, { tests, checked }).map(({ name, args, countsTests }) => ({
    name,
    countsTests,
    startedMs: performance.now(),
    child: new Deno.Command("deno", {
      args: [...args],
      env: {
        RUST_BACKTRACE: "0",
        DENO_NO_UPDATE_CHECK: "1",
        ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }),
      },
      stdin: "null",
      stdout: "piped",
      stderr: countsTests ? "inherit" : "piped",
    }).spawn(),
  }));
}

function reportFile(options: Options, reports: string[]): string | undefined {
  if (options.junit === undefined) return undefined;
  const path = `${options.junit}.part${reports.length}`;
  reports.push(path);
  return path;
}

/** Shows a step's output as it comes (test lanes) or only if it failed (static checks). */
async function finish(step: Running, skips: string[]): Promise<Tally> {
  const { child, name } = step;
  if (!step.countsTests) {
    const { success, stdout, stderr } = await child.output();
    console.log(`${success ? "ok    " : "FAILED"} ${name} ${elapsed(step)}`);
    if (success) return { passed: 1, failed: 0, skipped: 0 };
    for (const text of [stdout, stderr]) Deno.stdout.writeSync(text);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  console.log(`\n${name}`);
  let text = "";
  const show = dotsOnOneLine();
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    show(part);
  }
  const { success } = await child.status;
  skips.push(...text.split("\n").filter((line) => line.startsWith("SKIP ")));
  const tally = parseTally(text);
  if (tally === undefined || (!success && tally.failed === 0)) {
    console.log(`FAILED ${name}: deno test ended without a result ${elapsed(step)}`);
    return addTally(tally ?? { passed: 0, failed: 0, skipped: 0 }, {
      passed: 0,
      failed: success ? 0 : 1,
      skipped: 0,
    });
  }
  return tally;
}

/** Prints lines as they come; the dot reporter's one-mark lines go on one line, 80 to a row. */
function dotsOnOneLine(): (part: string) => void {
  const encoder = new TextEncoder();
  let unfinished = "";
  let column = 0;
  return (part) => {
    const lines = (unfinished + part).split("\n");
    unfinished = lines.pop() ?? "";
    for (const line of lines) {
      // deno-lint-ignore no-control-regex -- terminal colours are control sequences
      const isDot = /^[.,!]$/.test(line.replace(/\x1b\[[0-9;]*m/g, ""));
      const newRow = isDot ? column === 80 : column > 0;
      Deno.stdout.writeSync(encoder.encode(`${newRow ? "\n" : ""}${line}${isDot ? "" : "\n"}`));
      column = isDot ? (newRow ? 1 : column + 1) : 0;
    }
  };
}

function elapsed(step: Running): string {
  return `(${((performance.now() - step.startedMs) / 1000).toFixed(1)} s)`;
}

async function writeJunit(path: string, reports: readonly string[]): Promise<void> {
  const parts: string[] = [];
  for (const report of reports) {
    try {
      parts.push(await Deno.readTextFile(report));
      await Deno.remove(report);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  await Deno.writeTextFile(path, mergeJunit(parts));
}
