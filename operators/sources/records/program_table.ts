// SPDX-License-Identifier: Apache-2.0
// Interns programs: one object per (thread group, start, exec count), with what is known of it.
//
// Bounded: beyond the limit the program that is gone for longest is forgotten, or the oldest.

import { eventHeaderAt as H, processEventAt as P } from "../../../bpf/event.gen.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { Program } from "../../../model/process.ts";
import type { Nanos } from "../../../model/time.ts";
import { type SeenFact, TICK_NS } from "./host_fact.ts";
import { readText, readWords } from "./text_field.ts";

/** A program with the parts of its key that records are compared with. */
export interface ProgramState {
  readonly program: Program;
  readonly startLow: number;
  readonly startHigh: number;
  cgroupLow: number;
  /** comm came from the leading thread or from /proc, not from some other thread. */
  commKnown: boolean;
  gone: boolean;
  /** The same process before its last exec: its records may come a little late. */
  previous: ProgramState | null;
}

export interface ProgramTableOptions {
  readonly programsMax?: number;
  /** Told of each program that is met without its birth having been seen. */
  readonly met: (program: Program, emitNs: Nanos) => void;
  /** Absent where there is no one to ask, as in a replay: answers are in the recording. */
  readonly ask?: AskHost | undefined;
}

/** Questions about a process that is alive now; answered by calls that come before they return. */
export interface AskHost {
  /** Nothing is known of it. The answer is a call of `seen`. */
  readonly process: (tgid: number) => void;
  /** The path of the cgroup that it is in is not known. The answer is a call of `nameCgroup`. */
  readonly cgroup: (tgid: number, id: bigint) => void;
}

export interface ProgramTable {
  /** The program that the record at `at` names in its header. */
  find(bytes: Uint8Array, view: DataView, at: number): ProgramState;
  /** The program of a fork record: what its parent is, until it executes something else. */
  forked(bytes: Uint8Array, view: DataView, at: number): ProgramState;
  /** The program of an exec record. */
  executed(bytes: Uint8Array, view: DataView, at: number): ProgramState;
  /** The program of the header at `at` if it is known already. */
  known(view: DataView, at: number): ProgramState | undefined;
  exited(state: ProgramState): void;
  /** A process that was there before (met at once), or the answer about one (kept until met). */
  seen(fact: SeenFact, emitNs: Nanos): void;
  nameCgroup(id: bigint, path: string): void;
  readonly size: number;
}

type Key = Pick<Program, "tgid" | "startNs" | "execCount" | "cgroupId">;
type Facts = Omit<Program, "program" | keyof Key>;

const PATH_BYTES = P.args - P.filename;
const ARGS_BYTES = 512;
const COMM_BYTES = 16;

export function programTable(options: ProgramTableOptions): ProgramTable {
  const { programsMax = LIMITS.programs.value, met, ask } = options;
  const byTgid = new Map<number, ProgramState>();
  const seeds = new Map<number, SeenFact>();
  const cgroups = new Map<bigint, string>();
  const gone = new Set<ProgramState>();
  let programs = 0;

  function makeRoom(): void {
    if (byTgid.size < programsMax) return;
    const first: ProgramState | undefined = gone.values().next().value ??
      byTgid.values().next().value;
    if (first === undefined) return;
    gone.delete(first);
    byTgid.delete(first.program.tgid);
  }

  function nameCgroup(id: bigint, path: string): void {
    if (cgroups.size >= programsMax) cgroups.clear();
    cgroups.set(id, path);
  }

  function cgroupPath(tgid: number, id: bigint): string | undefined {
    if (id === 0n) return undefined;
    if (!cgroups.has(id)) ask?.cgroup(tgid, id);
    return cgroups.get(id);
  }

  function add(key: Key, facts: Facts, commKnown: boolean): ProgramState {
    const { tgid, startNs, cgroupId } = key;
    const before = byTgid.get(tgid);
    if (before === undefined) makeRoom();
    else gone.delete(before);
    const cgroup = cgroupPath(tgid, cgroupId) ?? facts.cgroup;
    const state: ProgramState = {
      program: { program: ++programs, ...key, ...facts, cgroup },
      startLow: low(startNs),
      startHigh: low(startNs >> 32n),
      cgroupLow: low(cgroupId),
      commKnown,
      gone: false,
      previous: before?.program.startNs === startNs ? before : null,
    };
    if (state.previous !== null) state.previous.previous = null;
    byTgid.set(tgid, state);
    return state;
  }

  /** What /proc shows of the process, if that is the same process. */
  function takeSeed(tgid: number, startNs: Nanos): SeenFact | undefined {
    const seed = seeds.get(tgid);
    if (seed === undefined || startNs / TICK_NS !== BigInt(seed.startNs) / TICK_NS) {
      return undefined;
    }
    seeds.delete(tgid);
    return seed;
  }

  /** A program of which the first sign is that it does something. */
  function meet(bytes: Uint8Array, view: DataView, at: number): ProgramState {
    const key = keyAt(view, at);
    const { tgid, startNs } = key;
    const leads = view.getUint32(at + H.tid, true) === tgid;
    const comm = readText(bytes, at + H.comm, COMM_BYTES);
    let seed = takeSeed(tgid, startNs);
    if (seed === undefined) {
      ask?.process(tgid);
      seed = takeSeed(tgid, startNs);
    }
    const before = byTgid.get(tgid)?.program;
    const known = seed ?? (before?.startNs === startNs ? before : NOTHING_KNOWN);
    const named = leads ? { comm } : { comm: seed?.comm ?? comm };
    const state = add(key, { ...factsOf(known), ...named }, leads || seed !== undefined);
    met(state.program, view.getBigUint64(at + H.emitNs, true));
    return state;
  }

  /** A service manager moves a process after its fork, a container runtime before its exec. */
  function moved(state: ProgramState, view: DataView, at: number): void {
    const { program } = state;
    state.cgroupLow = view.getUint32(at + H.cgroupId, true);
    program.cgroupId = view.getBigUint64(at + H.cgroupId, true);
    program.cgroup = cgroupPath(program.tgid, program.cgroupId) ?? program.cgroup;
  }

  function known(view: DataView, at: number): ProgramState | undefined {
    const state = byTgid.get(view.getUint32(at + H.tgid, true));
    if (state === undefined || isNamed(state, view, at)) return state;
    const { previous } = state;
    return previous !== null && isNamed(previous, view, at) ? previous : undefined;
  }

  return {
    known,
    find(bytes, view, at) {
      const state = known(view, at);
      if (state === undefined) return meet(bytes, view, at);
      if (!state.commKnown && view.getUint32(at + H.tid, true) === state.program.tgid) {
        state.program.comm = readText(bytes, at + H.comm, COMM_BYTES);
        state.commKnown = true;
      }
      if (state.cgroupLow !== view.getUint32(at + H.cgroupId, true)) moved(state, view, at);
      return state;
    },
    forked(bytes, view, at) {
      const parentTgid = view.getUint32(at + P.ppid, true);
      const parent = byTgid.get(parentTgid)?.program ?? seeds.get(parentTgid);
      return add(keyAt(view, at), newborn(bytes, view, at, parent), true);
    },
    executed(bytes, view, at) {
      const tgid = view.getUint32(at + H.tgid, true);
      const before = byTgid.get(tgid)?.program ?? seeds.get(tgid);
      const nameBytes = Math.min(PATH_BYTES, view.getUint32(at + P.filenameBytes, true));
      const argsBytes = Math.min(ARGS_BYTES, view.getUint32(at + P.argsBytes, true));
      const image = {
        exe: readText(bytes, at + P.filename, nameBytes),
        argv: readWords(bytes, at + P.args, argsBytes),
      };
      return add(keyAt(view, at), { ...newborn(bytes, view, at, before), ...image }, true);
    },
    exited(state) {
      state.gone = true;
      if (byTgid.get(state.program.tgid) === state) gone.add(state);
      seeds.delete(state.program.tgid);
    },
    seen(fact, emitNs) {
      const { tgid, execCount } = fact;
      const startNs = BigInt(fact.startNs), cgroupId = BigInt(fact.cgroupId);
      if (execCount >= 0) {
        if (cgroupId !== 0n && fact.cgroup !== "") nameCgroup(cgroupId, fact.cgroup);
        // Records of the process may have come before the list of processes was read.
        if (byTgid.get(tgid)?.program.startNs === startNs) return;
        const key = { tgid, startNs, execCount, cgroupId };
        return met(add(key, factsOf(fact), true).program, emitNs);
      }
      if (seeds.size < programsMax || seeds.has(fact.tgid)) seeds.set(fact.tgid, fact);
    },
    nameCgroup,
    get size() {
      return byTgid.size;
    },
  };
}

const low = (value: bigint): number => Number(value & 0xffffffffn);

function keyAt(view: DataView, at: number): Key {
  return {
    tgid: view.getUint32(at + H.tgid, true),
    startNs: view.getBigUint64(at + H.leaderStartNs, true),
    execCount: view.getUint32(at + H.execCount, true),
    cgroupId: view.getBigUint64(at + H.cgroupId, true),
  };
}

/** What a fork or exec record tells, over what was known of the process it came `from`. */
function newborn(bytes: Uint8Array, view: DataView, at: number, from: Facts | undefined): Facts {
  return {
    ...factsOf(from ?? NOTHING_KNOWN),
    comm: readText(bytes, at + H.comm, COMM_BYTES),
    parentTgid: view.getUint32(at + P.ppid, true),
    innerPid: view.getUint32(at + P.innerPid, true),
    pidns: view.getUint32(at + P.pidNs, true),
    netns: view.getUint32(at + P.netNs, true),
    mntns: view.getUint32(at + P.mntNs, true),
  };
}

/** Is it the program whose key is in the header at `at`? Compared without making bigints. */
function isNamed(state: ProgramState, view: DataView, at: number): boolean {
  return state.startLow === view.getUint32(at + H.leaderStartNs, true) &&
    state.startHigh === view.getUint32(at + H.leaderStartNs + 4, true) &&
    state.program.execCount === view.getUint32(at + H.execCount, true);
}

const NOTHING_KNOWN: Facts = {
  comm: "",
  exe: "",
  argv: [],
  parentTgid: 0,
  cgroup: "",
  innerPid: 0,
  pidns: 0,
  netns: 0,
  mntns: 0,
};

function factsOf(known: Facts): Facts {
  const { comm, exe, argv, parentTgid, cgroup, innerPid, pidns, netns, mntns } = known;
  return { comm, exe, argv, parentTgid, cgroup, innerPid, pidns, netns, mntns };
}
