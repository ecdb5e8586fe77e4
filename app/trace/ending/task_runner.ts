// SPDX-License-Identifier: Apache-2.0
// The end of `deno task`, in which this program was started: killed, it can hand on no signal, and
// whoever killed it means the tracer. Other parents may go: a shell after nohup or setsid, say.

import { basename } from "node:path";

const LOOK_MS = 1_000;

export interface ParentFacts {
  readonly tgid: number;
  readonly exe: string;
  readonly argv: readonly string[];
}

/** Calls `stop` once when the task runner, if one of `processes` is our parent, has gone. */
export function onTaskRunnerEnd(
  processes: readonly ParentFacts[],
  stop: () => void,
  { parentNow = () => Deno.ppid, every = everySecond } = {},
): Disposable {
  const parent = parentNow();
  const runner = processes.find(({ tgid }) => tgid === parent);
  if (runner === undefined || !isTaskRunner(runner)) return { [Symbol.dispose]() {} };
  const looking = every(() => {
    if (parentNow() === parent) return;
    looking[Symbol.dispose]();
    stop();
  });
  return looking;
}

/** Does not keep the program alive. */
function everySecond(look: () => void): Disposable {
  const timer = setInterval(look, LOOK_MS);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

export function isTaskRunner({ exe, argv }: ParentFacts): boolean {
  return basename(exe) === "deno" && argv.slice(1).find((word) => !word.startsWith("-")) === "task";
}
