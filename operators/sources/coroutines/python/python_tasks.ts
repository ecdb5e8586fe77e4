// SPDX-License-Identifier: Apache-2.0
// Finds, in the memory of a CPython process, where asyncio keeps which task runs.
//
// From the interpreter's state to its modules, from there to the C half of asyncio, and to the
// types and the dict that it keeps. Each step is checked by the names that types bear, so that an
// unknown layout is refused rather than misread.

import type { PythonLayout } from "../../../../ffi/runtimes/python_programs.ts";
import type { ByteSource } from "../elf_file.ts";
import type { PythonOffsets } from "./python_layout.ts";
import { type PythonObjects, pythonObjects } from "./python_objects.ts";

export type PythonTasks =
  | { readonly kind: "found"; readonly layout: PythonLayout }
  /** No loop of asyncio has run yet. */
  | { readonly kind: "waiting" }
  | { readonly kind: "unreadable"; readonly reason: string };

const MODULE_DICT_AT = 16;
const MODULE_STATE_AT = 32;
const THREAD_NEXT_AT = 8;
const THREAD_INTERPRETER_AT = 16;
const THREADS_MAX = 256;
const LOOP_KEY = "__asyncio_running_event_loop__";

const waiting = { kind: "waiting" } as const;
const unreadable = (what: string): PythonTasks => ({
  kind: "unreadable",
  reason: `its memory is not laid out as expected: ${what}`,
});

/** What earlier looks at a process have found, so that the next one is quick. */
export interface Progress {
  /** Number of its modules, among which was no asyncio. */
  modules: number;
  /** The dict of asyncio's C half; 0 before it was found. */
  asyncio: number;
}

/** `runtime` is the address of _PyRuntime. */
export function findPythonTasks(
  memory: ByteSource,
  offsets: PythonOffsets,
  runtime: number,
  progress: Progress = { modules: -1, asyncio: 0 },
): PythonTasks {
  const objects = pythonObjects(memory, offsets);
  const { word, typeOf, nameOf } = objects;
  const interpreter = word(runtime + offsets.interpreterAt);
  const modules = interpreter === 0 ? 0 : word(interpreter + offsets.modulesAt);
  if (modules === 0) return waiting;
  if (nameOf(typeOf(modules)) !== "dict") return unreadable("its modules are no dict");
  const asyncio = findAsyncio(objects, modules, progress);
  if (asyncio === 0) return waiting;
  const currentTasks = objects.find(asyncio, "_current_tasks")?.value ?? 0;
  const taskType = objects.find(asyncio, "Task")?.value ?? 0;
  const futureType = objects.find(asyncio, "Future")?.value ?? 0;
  if (taskType === 0 || futureType === 0) return waiting;
  if (nameOf(taskType) !== "_asyncio.Task") return unreadable("its tasks are of another type");
  if (nameOf(typeOf(currentTasks)) !== "dict") return unreadable("its running tasks are no dict");
  const loopKey = loopKeyOf(objects, offsets, interpreter);
  if (typeof loopKey === "string") return unreadable(loopKey);
  if (loopKey === 0 && offsets.threadLoopAt === 0) return waiting;
  const types = moduleDict(objects, modules, "types");
  const functools = moduleDict(objects, modules, "functools");
  const valueOf = (dict: number, name: string) =>
    dict === 0 ? 0 : objects.find(dict, name)?.value ?? 0;
  const { interpreterAt: _, threadsAt, modulesAt: __, taskCountAt, ...rest } = offsets;
  const module = objects.find(modules, "_asyncio")?.value ?? 0;
  const state = taskCountAt === 0 ? 0 : word(module + MODULE_STATE_AT);
  return {
    kind: "found",
    layout: {
      ...rest,
      currentTasks,
      threads: interpreter + threadsAt,
      loopKey,
      taskType,
      futureType,
      textType: typeOf(objects.find(asyncio, "Task")?.key ?? 0),
      functionType: valueOf(types, "FunctionType"),
      methodType: valueOf(types, "MethodType"),
      partialType: valueOf(functools, "partial"),
      taskCount: state === 0 ? 0 : state + taskCountAt,
    },
  };
}

function findAsyncio(objects: PythonObjects, modules: number, progress: Progress): number {
  const used = objects.usedOf(modules);
  if (progress.asyncio === 0 && used !== progress.modules) {
    progress.asyncio = moduleDict(objects, modules, "_asyncio");
    progress.modules = used;
  }
  return progress.asyncio;
}

/** 0 where there is no such module. */
function moduleDict({ find, typeOf, nameOf, word }: PythonObjects, modules: number, name: string) {
  const found = find(modules, name)?.value ?? 0;
  return found !== 0 && nameOf(typeOf(found)) === "module" ? word(found + MODULE_DICT_AT) : 0;
}

/** The key under which threads keep their running loop; 0 where none does; or what is odd. */
function loopKeyOf(
  { word, find, typeOf, nameOf }: PythonObjects,
  { threadsAt, threadDictAt }: PythonOffsets,
  interpreter: number,
): number | string {
  let thread = word(interpreter + threadsAt);
  for (let i = 0; i < THREADS_MAX && thread !== 0; i++) {
    if (word(thread + THREAD_INTERPRETER_AT) !== interpreter) return "its threads are not found";
    const dict = word(thread + threadDictAt);
    if (dict !== 0 && nameOf(typeOf(dict)) !== "dict") return "its threads have no dict";
    const found = dict === 0 ? null : find(dict, LOOP_KEY);
    if (found !== null) return found.key;
    thread = word(thread + THREAD_NEXT_AT);
  }
  return 0;
}
