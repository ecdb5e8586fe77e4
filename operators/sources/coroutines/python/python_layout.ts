// SPDX-License-Identifier: Apache-2.0
// Where CPython keeps what is read of it, by version: offsets in bytes within its structs on
// x86-64, of builds with a global interpreter lock.
//
// Taken from the debug information of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0. Each
// process is checked: see python_tasks.ts.

import type { PythonLayout } from "../../../../ffi/runtimes/python_programs.ts";

export interface PythonOffsets extends
  Pick<
    PythonLayout,
    | "threadIdAt"
    | "threadDictAt"
    | "threadLoopAt"
    | "taskNameAt"
    | "closureAt"
    | "textAt"
    | "smallKeys"
    | "loopHeld"
    | "attributes"
    | "frameAt"
    | "frameHeldAt"
    | "frameHeld"
    | "framesOfC"
    | "previousAt"
    | "localsAt"
  > {
  /** In _PyRuntime: the first interpreter. */
  readonly interpreterAt: number;
  /** In an interpreter: the state of its first thread, and the dict of its modules. */
  readonly threadsAt: number;
  readonly modulesAt: number;
  /** In the state of asyncio's module: the count of names; 0: it has none, see task_count.ts. */
  readonly taskCountAt: number;
}

const SINCE_3_8 = {
  frameAt: 24,
  frameHeldAt: 0,
  frameHeld: false,
  framesOfC: false,
  previousAt: 24,
  localsAt: 360,
  interpreterAt: 32,
  threadsAt: 8,
  threadDictAt: 152,
  threadIdAt: 176,
  threadLoopAt: 0,
  textAt: 48,
  smallKeys: false,
  loopHeld: true,
  taskCountAt: 0,
  attributes: "inDict",
} as const;

const SINCE_3_12 = {
  frameHeldAt: 0,
  framesOfC: true,
  previousAt: 8,
  localsAt: 72,
  closureAt: 72,
  textAt: 40,
  smallKeys: true,
  loopHeld: false,
} as const;

/** By minor version of Python 3. */
const OFFSETS: Readonly<Record<number, PythonOffsets>> = {
  8: { ...SINCE_3_8, modulesAt: 56, closureAt: 48, taskNameAt: 120 },
  9: { ...SINCE_3_8, modulesAt: 856, closureAt: 48, taskNameAt: 160 },
  10: { ...SINCE_3_8, modulesAt: 856, closureAt: 72, taskNameAt: 168, localsAt: 352 },
  11: {
    frameAt: 56,
    frameHeldAt: 8,
    frameHeld: true,
    framesOfC: false,
    previousAt: 48,
    localsAt: 72,
    interpreterAt: 40,
    threadsAt: 16,
    modulesAt: 888,
    threadDictAt: 128,
    threadIdAt: 152,
    threadLoopAt: 0,
    closureAt: 72,
    taskNameAt: 144,
    taskCountAt: 0,
    textAt: 48,
    smallKeys: true,
    loopHeld: true,
    attributes: "before",
  },
  12: {
    ...SINCE_3_12,
    frameAt: 56,
    frameHeld: true,
    interpreterAt: 40,
    threadsAt: 72,
    modulesAt: 944,
    threadDictAt: 112,
    threadIdAt: 136,
    threadLoopAt: 0,
    taskNameAt: 144,
    taskCountAt: 168,
    attributes: "tagged",
  },
  13: {
    ...SINCE_3_12,
    frameAt: 72,
    frameHeld: false,
    interpreterAt: 632,
    threadsAt: 7344,
    modulesAt: 7656,
    threadDictAt: 128,
    threadIdAt: 152,
    threadLoopAt: 304,
    taskNameAt: 128,
    taskCountAt: 152,
    attributes: "behind",
  },
};

/** The offsets, or the reason why tasks of such a program cannot be told. */
export function pythonOffsetsOf(
  { minor, isFreeThreaded }: { readonly minor: number; readonly isFreeThreaded: boolean },
): PythonOffsets | string {
  if (isFreeThreaded) return "it runs without the global interpreter lock";
  return OFFSETS[minor] ?? `it is Python 3.${minor}; tasks are read from 3.8 to 3.13`;
}
