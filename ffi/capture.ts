// SPDX-License-Identifier: Apache-2.0
// Capture of socket traffic: loads the kernel programs, attaches them, and hands out ring records.

import {
  controlAt,
  controlBytes,
  dropReason,
  knobAt,
  programRule,
  verdict as verdictCode,
} from "../bpf/event.gen.ts";
import { BpfError } from "./bpf_error.ts";
import { BpfObject, type ProgramStats } from "./bpf_object.ts";
import { type GoProbes, goProbes } from "./go_probes.ts";
import { type NodePrograms, nodePrograms } from "./runtimes/node_programs.ts";
import { type PythonPrograms, pythonPrograms } from "./runtimes/python_programs.ts";
import { openHostFiles } from "./host_files.ts";
import { choosePath, type Feature, featuresOf, probeHost, supports } from "./host_support.ts";
import type { HostSupport } from "./host_support.ts";
import { type CapturePath, type Hook, HOOKS, PROCESS_SEED, SOCKET_SEEDS } from "./hooks.ts";
import { openLibbpf } from "./libbpf.ts";
import { openLibc } from "./libc.ts";
import { mapMemory } from "./mapped_memory.ts";
import { descendants, type ProcessSeed, readProcessSeeds } from "./process_list.ts";
import { type OnRecord, openRing } from "./ring.ts";
import { openSleeper } from "./sleeper.ts";

export type { CapturePath, Feature, GoProbes, OnRecord, ProcessSeed, ProgramStats };

export interface CaptureOptions {
  /** Rounded up to a power of two, at least a page. Default 16 MiB: about 60 k records. */
  readonly ringBytes?: number;
  /** Copied of the first call of a run in one direction, up to 16384. Default 1024. */
  readonly payloadBytesFirst?: number;
  /** Copied of each later call of that run. Default 256. */
  readonly payloadBytesLater?: number;
  /** Payload of a socket for which no verdict came. Default 64 KiB. */
  readonly pendingBytesMax?: number;
  /** Payload per socket and second, 32 times as much with the verdict "whole". Default 8 MiB. */
  readonly secondBytesMax?: number;
  /** Default: fast where the kernel has it. */
  readonly path?: CapturePath;
  /** Count turns of event loops, which adds a little to every system call. Default true. */
  readonly turns?: boolean;
  /** Set breakpoints in programs of Go and uvloop, where reading does not tell. Default true. */
  readonly probes?: boolean;
  /** State of threads in a hash, as before Linux 5.12. Default: where the kernel needs it. */
  readonly threadsInHash?: boolean;
  /** Only these processes and their descendants. */
  readonly tgids?: readonly number[];
  /** Only threads of this name (at most 15 bytes). */
  readonly comm?: string;
  /** Only sockets with one of these ports at either end. */
  readonly ports?: readonly number[];
  /** Never recorded; their children are. Default: this process. */
  readonly exclude?: readonly number[];
}

export type Verdict = keyof typeof verdictCode;

/** What the kernel could not deliver, counted since the start. */
export interface KernelDrops {
  readonly ring_full: bigint;
  readonly kernel_storage: bigint;
  readonly recursion_miss: bigint;
  readonly enter_without_exit: bigint;
  /** Messages beyond the thirty-second of one mmsg call, on the portable path. */
  readonly mmsg: bigint;
  /** Records that came with less payload than wanted: a page was not resident. */
  readonly payload_unreadable: bigint;
  /** Records that came without payload: the socket's byte budget was spent. */
  readonly budget_spent: bigint;
  /** Large calls of which only the first bytes came: the ring was filling up. */
  readonly ring_pressure: bigint;
}

export interface Capture extends Disposable {
  readonly path: CapturePath;
  readonly features: readonly Feature[];
  /** Processes that were there when recording began; later ones come as records. */
  readonly processes: readonly ProcessSeed[];
  /** Hands out waiting records; returns how many. See OnRecord for what may be kept. */
  drain(onRecord: OnRecord, max?: number): number;
  /**
   * Records nothing from now on; what waits in the ring can still be drained. Meanwhile the kernel
   * programs are detached, which takes time: resolves when they are.
   */
  pause(): Promise<void>;
  /** Resolves when it is worth draining again: 5 ms after records, else when one comes, or 1 s. */
  wait(): Promise<void>;
  /** What to do with a socket that has no verdict yet, from its next record on. */
  setVerdict(cookie: bigint, verdict: Verdict): void;
  /** Makes setVerdict hold for sockets that already had a verdict. Call it once after many. */
  bumpGeneration(): void;
  /** Tells the kernel side what it must know of Go programs. */
  readonly go: GoProbes;
  /** And of Python processes. */
  readonly python: PythonPrograms;
  /** And of Node programs that say for whom they write. */
  readonly node: NodePrograms;
  /** Excludes a process, or includes it with its descendants, from its next record on. */
  setProgramRule(tgid: number, rule: keyof typeof programRule | "none"): void;
  drops(): KernelDrops;
  programStats(): ProgramStats[];
  /** Run counts and times of programStats are counted until it is disposed. */
  enableStats(): Disposable;
}

const RING_BYTES = 16 * 1024 * 1024;
const OBJECT = new URL("../bpf/spandrel.bpf.o", import.meta.url);

/**
 * Loads, attaches, looks at what is there already, and starts recording. Throws BpfError with the
 * remedy when this is not possible here.
 */
export function openCapture(options: CaptureOptions = {}): Capture {
  using stack = new DisposableStack();
  const libc = stack.use(openLibc());
  const libbpf = stack.use(openLibbpf());
  const files = openHostFiles(libc);
  const host = probeHost(libbpf, libc, files);
  const path = choosePath(host, options.path);
  const object = stack.use(new BpfObject(libbpf, libc, readObject()));
  const turns = options.turns ?? true;
  const used = HOOKS.filter((hook) =>
    hook.paths.includes(path) && supports(host, hook) && (turns || hook.attach !== "turns")
  );
  const ringBytes = 2 ** Math.ceil(Math.log2(Math.max(options.ringBytes ?? RING_BYTES, 4096)));
  configure(object, used, path, host, options);
  object.setMaxEntries("ring", ringBytes);
  object.load();
  const control = stack.use(mapMemory(libc, object.map(".data.control").fd, 4096, 0, "write"));
  const switches = new Uint32Array(control.buffer, 0, controlBytes / 4);
  const raise = (at: number) => void Atomics.add(switches, at / 4, 1);
  const changed = () => raise(controlAt.programGeneration);
  raise(controlAt.verdictGeneration);
  changed();
  setFilters(object, options);
  if (path === "portable") object.setProgramArray("next_message", ["call_exit"]);
  const failures = new Map<string, string>();
  const waiting = used.filter((hook) => hook.attach === "asked");
  attachAll(object, used.filter(({ attach }) => !LATER.includes(attach)), host, failures);
  for (const seed of SOCKET_SEEDS) object.runIterator(seed);
  const processes = readProcessSeeds(object.runIterator(PROCESS_SEED), files);
  includeDescendants(object, processes, options);
  changed();
  const asks = () => Atomics.load(switches, controlAt.wantsSendStart / 4) !== 0;

  const ringFd = object.map("ring").fd;
  const ring = stack.use(openRing(libc, ringFd, ringBytes));
  const sleeper = stack.use(openSleeper(libc, ringFd, ring, switches));
  const verdicts = object.map("verdicts");
  Atomics.store(switches, controlAt.paused / 4, 0);
  const owned = stack.move();

  return {
    path,
    get features() {
      return featuresOf(host, path, turns).map((feature) => {
        const reason = failures.get(feature.name);
        return reason === undefined ? feature : { ...feature, on: false, reason };
      });
    },
    processes,
    drain(onRecord, max) {
      if (waiting.length > 0 && asks()) attachAll(object, waiting.splice(0), host, failures);
      return sleeper.drained(ring.drain(onRecord, max));
    },
    pause: () => stopRecording(object, switches),
    wait: () => sleeper.wait(),
    setVerdict(cookie, verdict) {
      verdicts.update(new BigUint64Array([cookie]), new Uint32Array([verdictCode[verdict]]));
    },
    bumpGeneration: () => raise(controlAt.verdictGeneration),
    ...runtimesOf(object, whyNoProbes(host, options), changed),
    setProgramRule(tgid, rule) {
      setRule(object, tgid, rule === "none" ? 0 : programRule[rule]);
      changed();
    },
    drops: () => readDrops(object, libbpf.call.libbpf_num_possible_cpus(), used),
    programStats: () => used.map((hook) => object.stats(hook.program)),
    enableStats: () => object.enableStats(),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function runtimesOf(object: BpfObject, whyNot: string | null, changed: () => void) {
  return {
    go: goProbes(object, whyNot, changed),
    python: pythonPrograms(object, whyNot, changed),
    node: nodePrograms(object, changed),
  };
}

function whyNoProbes(host: HostSupport, { probes = true }: CaptureOptions): string | null {
  if (!probes) return "probes are switched off";
  return host.uprobes ? null : "the kernel has no uprobes";
}

/** At once by a switch that the programs look at, for to detach them takes a while. */
function stopRecording(object: BpfObject, switches: Uint32Array): Promise<void> {
  Atomics.store(switches, controlAt.paused / 4, 1);
  return object.detachApart();
}

/** Hooks that are attached once something asks for them. */
const LATER: readonly Hook["attach"][] = ["asked", "found"];

function readObject(): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(OBJECT);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const path = OBJECT.pathname;
    throw new BpfError(`Cannot read ${path}: it is missing; run \`deno task bpf\``, 2, "open");
  }
}

/** Sets the knobs, and leaves out programs and maps that this kernel or path does without. */
function configure(
  object: BpfObject,
  used: readonly Hook[],
  path: CapturePath,
  host: HostSupport,
  options: CaptureOptions,
): void {
  const knobs = object.initialValue(".rodata");
  const u32 = (knob: { offset: number }, value: number | undefined) => {
    if (value !== undefined) knobs.setUint32(knob.offset, value, true);
  };
  const flag = (knob: { offset: number }, on: boolean) => knobs.setUint8(knob.offset, on ? 1 : 0);
  u32(knobAt.payloadBytesFirst, options.payloadBytesFirst);
  u32(knobAt.payloadBytesLater, options.payloadBytesLater);
  u32(knobAt.pendingBytesMax, options.pendingBytesMax);
  u32(knobAt.secondBytesMax, options.secondBytesMax);
  const socketStorage = path === "fast";
  const taskStorage = host.taskStorage && !options.threadsInHash;
  flag(knobAt.useSocketStorage, socketStorage);
  flag(knobAt.useTaskStorage, taskStorage);
  flag(knobAt.filterPrograms, options.tgids !== undefined);
  flag(knobAt.filterPorts, options.ports !== undefined);
  flag(knobAt.filterComm, options.comm !== undefined);
  const name = new TextEncoder().encode(options.comm ?? "").subarray(
    0,
    knobAt.commWanted.bytes - 1,
  );
  name.forEach((byte, i) => knobs.setUint8(knobAt.commWanted.offset + i, byte));
  for (const hook of HOOKS) if (!used.includes(hook)) object.leaveOutProgram(hook.program);
  if (host.uprobeMulti) {
    for (const { program, place } of used) {
      if (place.kind === "function") object.useUprobeMulti(program);
    }
  }
  object.leaveOutMap(socketStorage ? "sockets_by_address" : "sockets");
  object.leaveOutMap(taskStorage ? "threads_by_id" : "threads");
}

function excluded(options: CaptureOptions): readonly number[] {
  return options.exclude ?? [Deno.pid];
}

function setFilters(object: BpfObject, options: CaptureOptions): void {
  for (const tgid of options.tgids ?? []) setRule(object, tgid, programRule.include);
  for (const tgid of excluded(options)) setRule(object, tgid, programRule.exclude);
  for (const port of options.ports ?? []) {
    object.map("ports").update(new Uint16Array([port]), new Uint8Array([1]));
  }
}

function includeDescendants(
  object: BpfObject,
  processes: readonly ProcessSeed[],
  options: CaptureOptions,
): void {
  for (const tgid of options.tgids ?? []) {
    if (processes.some((process) => process.tgid === tgid)) continue;
    throw new BpfError(`Cannot trace process ${tgid}: there is none of this number`, 3, "iter");
  }
  for (const tgid of descendants(processes, options.tgids ?? [])) {
    if (!excluded(options).includes(tgid)) setRule(object, tgid, programRule.include);
  }
}

function setRule(object: BpfObject, tgid: number, code: number): void {
  const rules = object.map("programs");
  if (code === 0) rules.delete(new Uint32Array([tgid]));
  else rules.update(new Uint32Array([tgid]), new Uint32Array([code]));
}

/** Attaches hooks; why some that are not vital could not be goes to `failures`, by program. */
function attachAll(
  object: BpfObject,
  hooks: readonly Hook[],
  host: HostSupport,
  failures: Map<string, string>,
): void {
  for (const hook of hooks) {
    try {
      attach(object, hook, host);
    } catch (error) {
      if (hook.attach === "always" || !(error instanceof BpfError)) throw error;
      failures.set(hook.program, error.message);
    }
  }
}

function attach(object: BpfObject, { program, place }: Hook, host: HostSupport): void {
  switch (place.kind) {
    case "btf":
      return object.attach(program);
    case "function":
      return; // see go_probes.ts
    case "cgroup":
      if (host.cgroup !== undefined) object.attachCgroup(program, host.cgroup);
      return;
    case "syscalls":
      for (const call of place.calls) {
        object.attachTracepoint(program, "syscalls", `sys_${place.edge}_${call}`);
      }
  }
}

function readDrops(object: BpfObject, cpus: number, hooks: readonly Hook[]): KernelDrops {
  const map = object.map("drops");
  const perCpu = new BigUint64Array(cpus);
  const total = (reason: number): bigint => {
    map.lookup(new Uint32Array([reason]), perCpu);
    return perCpu.reduce((sum, count) => sum + count, 0n);
  };
  const misses = hooks.map((hook) => object.stats(hook.program).recursionMisses);
  return {
    ring_full: total(dropReason.ringFull),
    kernel_storage: total(dropReason.socketStorage) + total(dropReason.taskStorage),
    recursion_miss: misses.reduce((sum, count) => sum + count, 0n),
    enter_without_exit: total(dropReason.enterWithoutExit),
    mmsg: total(dropReason.mmsg),
    payload_unreadable: total(dropReason.payloadUnreadable),
    budget_spent: total(dropReason.budget),
    ring_pressure: total(dropReason.ringPressure),
  };
}
