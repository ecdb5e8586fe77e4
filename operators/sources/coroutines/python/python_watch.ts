// SPDX-License-Identifier: Apache-2.0
// Finds the Python processes that run loops of asyncio, and tells the kernel side how to read which
// task runs. A process imports asyncio some time after its start, so it is looked at repeatedly,
// ever less often.

import type { PythonLayout, PythonPrograms } from "../../../../ffi/runtimes/python_programs.ts";
import type { ProcessFact } from "../../../../model/capture_record.ts";
import { pythonOffsetsOf } from "./python_layout.ts";
import {
  findRuntime,
  type KnownRuntimes,
  mayBePython,
  type ProcessFiles,
  type PythonRuntime,
} from "./python_runtime.ts";
import { type Counts, findTaskCount } from "./task_count.ts";
import { findPythonTasks, type Progress } from "./python_tasks.ts";
import { uvloopProbes } from "./uvloop_probes.ts";

export interface PythonHost extends ProcessFiles {
  readonly programs: PythonPrograms;
  readonly nowMs: () => number;
}

/** A Python process of which something cannot be told. */
export interface PythonGap {
  readonly tgid: number;
  readonly exe: string;
  readonly gap: string;
}

export interface PythonWatch {
  /** A process that is there already. */
  readonly meet: (tgid: number, exe: string) => void;
  readonly take: (fact: ProcessFact) => void;
  /** Looks at processes that are due; to be called often. */
  readonly look: () => void;
  readonly gaps: () => readonly PythonGap[];
}

/** Time between looks at a process: it doubles up to the longest. */
const LOOK_MS = 5;
const LOOK_MS_MAX = 2_000;
/** Between the first looks for the count of tasks, and for uvloop. */
const LATER_MS = 50;
/** Looks for uvloop: most programs have loaded it before they run a loop. */
const UVLOOP_LOOKS = 60;

const PROCESSES_MAX = 4_096;

interface Process {
  readonly exe: string;
  runtime: PythonRuntime | null;
  layout: PythonLayout | null;
  gap: string;
  readonly progress: Progress;
  counts: Counts;
  /** Looks for uvloop that are left. */
  uvloopLooks: number;
  waitMs: number;
  dueMs: number;
}

export function pythonWatch(host: PythonHost): PythonWatch {
  const processes = new Map<number, Process>();
  const known: KnownRuntimes = new Map();
  const probeUvloop = uvloopProbes(host);
  let nextMs = Infinity;

  function add(tgid: number, process: Process): void {
    if (processes.size >= PROCESSES_MAX) return;
    processes.set(tgid, process);
    nextMs = Math.min(nextMs, process.dueMs);
  }

  function meet(tgid: number, exe: string): void {
    processes.delete(tgid);
    if (!mayBePython(exe)) return;
    const dueMs = host.nowMs();
    const progress = { modules: -1, asyncio: 0 };
    add(tgid, {
      exe,
      runtime: null,
      layout: null,
      gap: "",
      progress,
      counts: null,
      uvloopLooks: UVLOOP_LOOKS,
      waitMs: LOOK_MS,
      dueMs,
    });
    look();
  }

  /** A child begins with the memory of its parent. */
  function forked(tgid: number, parent: number, exe: string): void {
    const of = processes.get(parent);
    if (of === undefined) return;
    const dueMs = isSettled(of) ? Infinity : host.nowMs();
    add(tgid, { ...of, exe, progress: { ...of.progress }, waitMs: LOOK_MS, dueMs });
    if (of.layout !== null) host.programs.add(tgid, of.layout);
  }

  function look(): void {
    const nowMs = host.nowMs();
    if (nowMs < nextMs) return;
    nextMs = Infinity;
    for (const [tgid, process] of processes) {
      if (process.dueMs <= nowMs) lookAt(tgid, process, nowMs);
      nextMs = Math.min(nextMs, process.dueMs);
    }
  }

  function lookAt(tgid: number, process: Process, nowMs: number): void {
    process.dueMs = nowMs + process.waitMs;
    process.waitMs = Math.min(2 * process.waitMs, LOOK_MS_MAX);
    if (process.layout !== null) return lookFurther(tgid, process, process.layout);
    process.runtime ??= findRuntime(tgid, host, known);
    if (process.runtime === null) return;
    const { version, address } = process.runtime;
    const offsets = pythonOffsetsOf(version);
    using memory = host.open(`/proc/${tgid}/mem`);
    if (typeof offsets !== "string" && memory === undefined) return;
    const found = typeof offsets === "string" || memory === undefined
      ? { kind: "unreadable", reason: String(offsets) } as const
      : findPythonTasks(memory, offsets, address, process.progress);
    if (found.kind === "waiting") return;
    if (found.kind === "found") {
      host.programs.add(tgid, process.layout = found.layout);
      process.waitMs = LATER_MS;
      process.dueMs = nowMs + LATER_MS;
      lookFurther(tgid, process, found.layout);
    } else {
      process.gap = found.reason;
      process.dueMs = Infinity;
    }
  }

  function lookFurther(tgid: number, process: Process, layout: PythonLayout): void {
    if (process.uvloopLooks > 0) {
      process.uvloopLooks--;
      const uvloop = probeUvloop(tgid);
      if (uvloop.kind !== "none") process.uvloopLooks = 0;
      if (uvloop.kind === "gap") process.gap = uvloop.reason;
    }
    if (layout.taskCount === 0) lookForCount(tgid, process, layout);
    if (isSettled(process)) process.dueMs = Infinity;
  }

  function lookForCount(tgid: number, process: Process, layout: PythonLayout): void {
    using memory = host.open(`/proc/${tgid}/mem`);
    const maps = host.text(`/proc/${tgid}/maps`);
    if (memory === undefined || maps === undefined) return;
    const found = findTaskCount(memory, maps, process.counts);
    if (typeof found !== "number") process.counts = found;
    else host.programs.add(tgid, process.layout = { ...layout, taskCount: found });
  }

  return {
    meet,
    look,
    take({ what, program: { tgid, exe, parentTgid } }) {
      if (what === "exit") processes.delete(tgid);
      else if (what === "fork") forked(tgid, parentTgid, exe);
      else meet(tgid, exe);
    },
    gaps: () =>
      [...processes].flatMap(([tgid, { exe, gap }]) => gap === "" ? [] : [{ tgid, exe, gap }]),
  };
}

const isSettled = ({ layout, gap, uvloopLooks }: Process): boolean =>
  layout === null ? gap !== "" : layout.taskCount !== 0 && uvloopLooks === 0;
