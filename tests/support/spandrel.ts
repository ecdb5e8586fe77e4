// SPDX-License-Identifier: Apache-2.0
// The program under test, started as `deno task` starts it: with the permissions of its task.

import { type Child, type ChildOptions, startChild } from "./child.ts";
import { until, within } from "./deadline.ts";

/** The words of a command line: what a task runs, then the words of a test. */
export function commandLine(words: readonly string[]): [string, ...string[]] {
  const [task = "", ...rest] = words;
  const root = new URL("../../", import.meta.url).pathname;
  const tasks: unknown = JSON.parse(Deno.readTextFileSync(`${root}deno.json`)).tasks;
  const line = (tasks as Readonly<Record<string, string>>)[task];
  if (line === undefined) throw new Error(`Cannot run ${task}: deno.json has no such task`);
  // env(1) sets the variables that stand before the program, and becomes the program.
  const args = line.split(" ").map((arg) => arg === "app/cli/main.ts" ? root + arg : arg);
  return ["env", ...args, ...rest];
}

/** Starts a command of the program; `whenTracing` waits until capture runs. */
export async function startSpandrel(
  words: readonly string[],
  { whenTracing = false, ...options }: ChildOptions & { readonly whenTracing?: boolean } = {},
): Promise<Child> {
  const [program, ...args] = commandLine(words);
  return await startChild(program, {
    ...options,
    args,
    env: { NO_COLOR: "1", ...options.env },
    stopSignal: "SIGINT",
    ...(whenTracing ? { ready: (child) => /^(Tracing|Recording) /m.test(child.stderr()) } : {}),
  });
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program to its end. */
export async function runSpandrel(
  words: readonly string[],
  options?: ChildOptions,
): Promise<Ended> {
  await using child = await startSpandrel(words, options);
  const { code } = await within(`spandrel ${words[0]} end`, child.exited, 60_000);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/** A span as a JSON line holds it. */
export type SpanLine = Readonly<Record<string, unknown>> & {
  readonly span_id: string;
  readonly parent_span_id?: string | null;
  readonly trace_id?: string;
};

/** The spans of JSON lines: the last revision of each, in the order of their start. */
export function spansIn(text: string): SpanLine[] {
  const spans = new Map<string, SpanLine>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const span: SpanLine = JSON.parse(line);
    const known = spans.get(span.span_id);
    if (known === undefined || Number(known["revision"]) < Number(span["revision"])) {
      spans.set(span.span_id, span);
    }
  }
  return [...spans.values()].sort((a, b) =>
    Number(BigInt(String(a["start_unix_ns"])) - BigInt(String(b["start_unix_ns"])))
  );
}

/** Waits until the JSON lines of a file hold what `isThere` asks for; returns its spans. */
export function spansWhen(
  path: string,
  isThere: (spans: readonly SpanLine[]) => boolean,
): Promise<SpanLine[]> {
  return until("the spans in the output", async () => {
    const spans = spansIn((await Deno.readTextFile(path)).replace(/[^\n]*$/, ""));
    return isThere(spans) && spans;
  }, 20_000);
}
