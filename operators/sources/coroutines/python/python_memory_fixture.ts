// SPDX-License-Identifier: Apache-2.0
// The memory of a CPython process, as far as asyncio's tasks are found in it, for tests.

import type { ByteSource } from "../elf_file.ts";
import { type PythonOffsets, pythonOffsetsOf } from "./python_layout.ts";

export interface FixtureProcess {
  readonly minor: number;
  /** Names of modules; each has what asyncio keeps in that of its C half. */
  readonly modules?: readonly string[];
  readonly hasLoop?: boolean;
  /** What the type of asyncio's tasks calls itself. */
  readonly taskType?: string;
  /** What the type of the dict of modules calls itself. */
  readonly dictType?: string;
}

export interface FixtureMemory extends ByteSource {
  readonly runtime: number;
  /** Addresses by what lies there. */
  readonly at: Readonly<Record<string, number>>;
}

const BEGIN = 0x1_0000;
const BYTES = 0x2_0000;
const INTERPRETER_BYTES = 0x2800;

export function fixtureMemory(process: FixtureProcess): FixtureMemory {
  const { minor, modules = ["sys", "types", "functools", "_asyncio"] } = process;
  const offsets = pythonOffsetsOf({ minor, isFreeThreaded: false });
  if (typeof offsets === "string") throw new Error(`Cannot lay out Python 3.${minor}: ${offsets}`);
  const heap = startHeap();
  const runtime = heap.take(1024);
  const objects = startObjects(heap, offsets, process.dictType ?? "dict");
  const at: Record<string, number> = {};
  const named = (name: string) => at[name] ??= heap.take(64);
  at["task"] = objects.type(process.taskType ?? "_asyncio.Task");
  at["future"] = objects.type("_asyncio.Future");
  at["currentTasks"] = objects.dict({});
  const contents: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    _asyncio: { Future: at["future"], Task: at["task"], _current_tasks: at["currentTasks"] },
    types: { FunctionType: named("function"), MethodType: named("method") },
    functools: { partial: named("partial") },
  };
  const moduleDict = objects.dict(Object.fromEntries(
    modules.map((name) => [name, objects.module(contents[name] ?? {})]),
  ));
  const interpreter = heap.take(INTERPRETER_BYTES);
  const thread = heap.take(512);
  heap.put(runtime + offsets.interpreterAt, interpreter);
  heap.put(interpreter + offsets.modulesAt, moduleDict);
  heap.put(interpreter + offsets.threadsAt, thread);
  heap.put(thread + 16, interpreter);
  const key = { __asyncio_running_event_loop__: named("loop") };
  heap.put(thread + offsets.threadDictAt, objects.dict(process.hasLoop === false ? {} : key));
  at["loopKey"] = objects.keyOf("__asyncio_running_event_loop__");
  at["str"] = objects.text;
  at["threads"] = interpreter + offsets.threadsAt;
  return { runtime, at, read: heap.read };
}

function startHeap() {
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  let next = 16;
  return {
    read: (at: number, length: number) =>
      at < BEGIN ? new Uint8Array() : bytes.slice(at - BEGIN, at - BEGIN + length),
    take(length: number): number {
      const at = next;
      next += Math.ceil(length / 16) * 16;
      if (next > BYTES) throw new Error(`Cannot take ${length} bytes: the fixture is full`);
      return BEGIN + at;
    },
    put: (at: number, word: number) => view.setBigUint64(at - BEGIN, BigInt(word), true),
    putByte: (at: number, byte: number) => view.setUint8(at - BEGIN, byte),
    putText: (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at - BEGIN),
  };
}

function startObjects(
  heap: ReturnType<typeof startHeap>,
  { textAt, smallKeys }: PythonOffsets,
  dictName: string,
) {
  const keys = new Map<string, number>();

  function type(name: string): number {
    const [made, text] = [heap.take(512), heap.take(64)];
    heap.putText(text, name);
    heap.put(made + 24, text);
    return made;
  }

  const [text, dictType, moduleType] = [type("str"), type(dictName), type("module")];

  function str(value: string): number {
    const made = heap.take(textAt + value.length + 1);
    heap.put(made + 8, text);
    heap.put(made + 16, value.length);
    heap.putText(made + textAt, value);
    keys.set(value, made);
    return made;
  }

  /** As combined tables of eight slots, of texts where that makes a difference. */
  function dict(content: Readonly<Record<string, number>>): number {
    const made = heap.take(64);
    const entries = Object.entries(content);
    const table = heap.take(64 + 24 * entries.length);
    heap.put(made + 8, dictType);
    heap.put(made + 16, entries.length);
    heap.put(made + 32, table);
    if (smallKeys) {
      heap.putByte(table + 8, 3);
      heap.putByte(table + 9, 3);
      heap.putByte(table + 10, 1);
    } else heap.put(table + 8, 8);
    heap.put(table + (smallKeys ? 24 : 32), entries.length);
    const first = table + (smallKeys ? 40 : 48);
    for (const [i, [name, value]] of entries.entries()) {
      const entry = first + i * (smallKeys ? 16 : 24) + (smallKeys ? 0 : 8);
      heap.put(entry, str(name));
      heap.put(entry + 8, value);
    }
    return made;
  }

  function module(content: Readonly<Record<string, number>>): number {
    const made = heap.take(64);
    heap.put(made + 8, moduleType);
    heap.put(made + 16, dict(content));
    return made;
  }

  return { type, dict, module, text, keyOf: (value: string) => keys.get(value) ?? 0 };
}
