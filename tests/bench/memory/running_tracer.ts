// SPDX-License-Identifier: Apache-2.0
// The tracer as users run it, with its own process id, for benches that look at the process.

import { startChild } from "../../support/child.ts";
import { until } from "../../support/deadline.ts";
import { commandLine } from "../../support/spandrel.ts";
import { openTerminal } from "../../support/tmux.ts";

export interface Tracer extends AsyncDisposable {
  readonly pid: number;
  /** Interrupts it and resolves with its closing words when it has ended. */
  end(): Promise<string>;
}

/** Starts `trace` with these words, on a terminal of its own (the live view) or without one. */
export async function startTracer(
  words: readonly string[],
  onTerminal: boolean,
): Promise<Tracer> {
  return onTerminal ? await inTerminal(words) : await inBackground(words);
}

async function inBackground(words: readonly string[]): Promise<Tracer> {
  const [, ...args] = commandLine(["trace", ...words]);
  const child = await startChild("env", {
    args,
    stopSignal: "SIGINT",
    stopMs: 60_000,
    ready: (tracer) => /^Tracing /m.test(tracer.stderr()),
  });
  return {
    pid: child.pid,
    end: async () => {
      await child.stop();
      return closingWords(child.stderr());
    },
    [Symbol.asyncDispose]: child[Symbol.asyncDispose],
  };
}

async function inTerminal(words: readonly string[]): Promise<Tracer> {
  const file = await Deno.makeTempFile();
  const run = `printf '%s\\n' $$ >'${file}'; exec "$@"`;
  const line = commandLine(["trace", ...words]);
  const terminal = await openTerminal(["sh", "-c", run, "sh", ...line], { columns: 120, rows: 40 });
  await terminal.screenWith(/services/i);
  const pid = Number(await until("the process id", () => Deno.readTextFile(file)));
  return {
    pid,
    end: async () => {
      await terminal.press("C-c");
      await terminal.ended();
      return closingWords(await terminal.screen());
    },
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

/** What it says about events and drops, and whatever went wrong. */
function closingWords(text: string): string {
  return text.split("\n").filter((line) => /^[\d,]+ events|^Cannot/.test(line)).join(" ");
}
