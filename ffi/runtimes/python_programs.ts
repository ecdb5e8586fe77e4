// SPDX-License-Identifier: Apache-2.0
// What the kernel side must know of Python processes: where asyncio keeps which task runs, and
// where uvloop keeps in mind what tasks have written.

import { pythonAttributes, pythonLayoutAt as at, pythonLayoutBytes } from "../../bpf/event.gen.ts";
import type { BpfObject } from "../bpf_object.ts";

/** Addresses of objects of one process, and offsets that hold for its version of CPython. */
export interface PythonLayout {
  readonly currentTasks: number;
  readonly threads: number;
  readonly loopKey: number;
  readonly taskType: number;
  readonly futureType: number;
  readonly textType: number;
  readonly functionType: number;
  readonly methodType: number;
  readonly partialType: number;
  /** Where it is counted how many tasks were named; 0: not known. */
  readonly taskCount: number;
  readonly threadIdAt: number;
  readonly threadDictAt: number;
  /** 0: the loop that it runs is in its dict. */
  readonly threadLoopAt: number;
  readonly taskNameAt: number;
  readonly closureAt: number;
  readonly textAt: number;
  readonly smallKeys: boolean;
  readonly loopHeld: boolean;
  readonly attributes: keyof typeof pythonAttributes;
  /** By what it tells apart what it works on, where that is no task of asyncio. */
  readonly frameAt: number;
  readonly frameHeldAt: number;
  readonly previousAt: number;
  readonly localsAt: number;
  readonly frameHeld: boolean;
  readonly framesOfC: boolean;
}

export interface PythonPrograms {
  /** From the next event of the process on. The kernel forgets a process that exits or execs. */
  add(tgid: number, layout: PythonLayout): void;
  /** Attaches to a byte of uvloop's library, in all processes that have it. Throws BpfError. */
  attach(path: string, offset: number): void;
  /** Why nothing may be attached; null where it may. */
  readonly whyNot: string | null;
}

/** `changed` makes the kernel side look at its threads again. */
export function pythonPrograms(
  object: BpfObject,
  whyNot: string | null,
  changed: () => void,
): PythonPrograms {
  const programs = object.map("python_programs");
  return {
    add(tgid, layout) {
      programs.update(new Uint32Array([tgid]), layoutBytes(layout));
      changed();
    },
    attach: (path, offset) => void object.attachUprobes("python_queued", path, [offset]),
    whyNot,
  };
}

const ADDRESSES = [
  "currentTasks",
  "threads",
  "loopKey",
  "taskType",
  "futureType",
  "textType",
  "functionType",
  "methodType",
  "partialType",
  "taskCount",
] as const;

const OFFSETS = [
  "threadIdAt",
  "threadDictAt",
  "threadLoopAt",
  "taskNameAt",
  "closureAt",
  "textAt",
  "frameAt",
  "frameHeldAt",
  "previousAt",
  "localsAt",
] as const;

const FLAGS = ["smallKeys", "loopHeld", "frameHeld", "framesOfC"] as const;

function layoutBytes(layout: PythonLayout): DataView<ArrayBuffer> {
  const value = new DataView(new ArrayBuffer(pythonLayoutBytes));
  for (const name of ADDRESSES) value.setBigUint64(at[name], BigInt(layout[name]), true);
  for (const name of OFFSETS) value.setUint16(at[name], layout[name], true);
  for (const name of FLAGS) value.setUint8(at[name], layout[name] ? 1 : 0);
  value.setUint8(at.attributes, pythonAttributes[layout.attributes]);
  return value;
}
