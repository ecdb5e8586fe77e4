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
import {
  type CapturePath,
  cgroupRoot,
  checkPrivileges,
  type Feature,
  type Hook,
  HOOKS,
  probeTracepoints,
  SEEDS,
} from "./hooks.ts";
import { openHostFiles } from "./host_files.ts";
import { openLibbpf } from "./libbpf.ts";
import { openLibc } from "./libc.ts";
import { mapMemory } from "./mapped_memory.ts";
import { type OnRecord, openRing } from "./ring.ts";
import { openSleeper } from "./sleeper.ts";

export type { Feature, OnRecord, ProgramStats };

export interface CaptureOptions {
  /** A power of two, at least 4096. Default 16 MiB. */
  readonly ringBytes?: number;
  /** Copied of the first call of a run in one direction, up to 16384. Default 1024. */
  readonly payloadBytesFirst?: number;
  /** Copied of each later call of that run. Default 256. */
  readonly payloadBytesLater?: number;
  /** Payload of a socket for which no verdict came. Default 64 KiB. */
  readonly pendingBytesMax?: number;
  /** Payload per socket and second. Default 8 MiB. */
  readonly secondBytesMax?: number;
  /** Default: fast where the kernel has it. */
  readonly path?: CapturePath;
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
  /** Records that came with less payload than wanted: a page was not resident. */
  readonly payload_unreadable: bigint;
  /** Records that came without payload: the socket's byte budget was spent. */
  readonly budget_spent: bigint;
}

export interface Capture extends Disposable {
  readonly path: CapturePath;
  readonly features: readonly Feature[];
  /** Memory of the ring, for subarrays of payload during a drain. */
  readonly bytes: Uint8Array;
  /** Hands out waiting records; returns how many. See OnRecord for what may be kept. */
  drain(onRecord: OnRecord, max?: number): number;
  /** Resolves when it is worth draining again: 5 ms after records, else when one comes, or 1 s. */
  wait(): Promise<void>;
  /** What to do with a socket from its next record on. */
  setVerdict(cookie: bigint, verdict: Verdict): void;
  /** Makes setVerdict hold for sockets that already had a verdict. */
  bumpGeneration(): void;
  /** Excludes a process (itself only), or includes it with its descendants. */
  setProgramRule(tgid: number, rule: keyof typeof programRule | "none"): void;
  drops(): KernelDrops;
  programStats(): ProgramStats[];
  /** Run counts and times of programStats are counted until it is disposed. */
  enableStats(): Disposable;
}

const RING_BYTES = 16 * 1024 * 1024;
const OBJECT = new URL("../bpf/spandrel.bpf.o", import.meta.url);

/** Loads, attaches, looks at what is there already, and starts recording. Needs root. */
export function openCapture(options: CaptureOptions = {}): Capture {
  using stack = new DisposableStack();
  const libc = stack.use(openLibc());
  const files = openHostFiles(libc);
  checkPrivileges(files);
  const libbpf = stack.use(openLibbpf());
  const present = probeTracepoints(libbpf, files);
  const path = choosePath(present, options.path);
  const object = stack.use(new BpfObject(libbpf, libc, Deno.readFileSync(OBJECT)));

  const ringBytes = options.ringBytes ?? RING_BYTES;
  const programs = configure(object, path, present, options, ringBytes);
  object.load();
  const control = stack.use(mapMemory(libc, object.map(".data.control").fd, 4096, 0, "write"));
  const switches = new Uint32Array(control.buffer, 0, controlBytes / 4);
  const raise = (at: number) => void Atomics.add(switches, at / 4, 1);
  raise(controlAt.verdictGeneration);
  raise(controlAt.programGeneration);
  const rules = object.map("programs");
  const setRule = (tgid: number, code: number) => {
    if (code === 0) rules.delete(new Uint32Array([tgid]));
    else rules.update(new Uint32Array([tgid]), new Uint32Array([code]));
  };
  for (const tgid of options.exclude ?? [Deno.pid]) setRule(tgid, programRule.exclude);
  for (const tgid of options.tgids ?? []) setRule(tgid, programRule.include);
  for (const port of options.ports ?? []) {
    object.map("ports").update(new Uint16Array([port]), new Uint8Array([1]));
  }
  attachAll(object, programs, cgroupRoot(files));
  for (const seed of SEEDS) object.runIterator(seed);

  const ringFd = object.map("ring").fd;
  const ring = stack.use(openRing(libc, ringFd, ringBytes));
  const sleeper = stack.use(openSleeper(libc, ringFd, ring, switches));
  const verdicts = object.map("verdicts");
  let asked = programs.filter((hook) => hook.needed === "asked");
  const attachAsked = () => {
    if (asked.length === 0 || Atomics.load(switches, controlAt.wantsSendStart / 4) === 0) return;
    for (const hook of asked) object.attach(hook.program);
    asked = [];
  };
  Atomics.store(switches, controlAt.paused / 4, 0);
  const owned = stack.move();

  return {
    path,
    features: features(present, path),
    bytes: ring.bytes,
    drain(onRecord, max) {
      attachAsked();
      return sleeper.drained(ring.drain(onRecord, max));
    },
    wait: () => sleeper.wait(),
    setVerdict(cookie, verdict) {
      verdicts.update(new BigUint64Array([cookie]), new Uint32Array([verdictCode[verdict]]));
    },
    bumpGeneration: () => raise(controlAt.verdictGeneration),
    setProgramRule(tgid, rule) {
      setRule(tgid, rule === "none" ? 0 : programRule[rule]);
      raise(controlAt.programGeneration);
    },
    drops: () => readDrops(object, libbpf.call.libbpf_num_possible_cpus(), programs),
    programStats: () => programs.map((hook) => object.stats(hook.program)),
    enableStats: () => object.enableStats(),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function choosePath(present: ReadonlySet<string>, wanted: CapturePath | undefined): CapturePath {
  const missing = HOOKS.find((hook) =>
    hook.needed === true && hook.paths.includes("fast") && !present.has(hook.tracepoint)
  );
  if (wanted === "portable" || (wanted === undefined && missing !== undefined)) return "portable";
  if (missing === undefined) return "fast";
  throw new BpfError(
    `Cannot use the fast path: the kernel has no tracepoint ${missing.tracepoint}; ` +
      `run Linux ${missing.since} or newer, or use the portable path`,
    0,
    "btf__find_by_name_kind",
  );
}

/** Sets knobs and leaves out what this kernel or this path does without; returns what is used. */
function configure(
  object: BpfObject,
  path: CapturePath,
  present: ReadonlySet<string>,
  options: CaptureOptions,
  ringBytes: number,
): Hook[] {
  const knobs = object.initialValue(".rodata");
  const u32 = (knob: { offset: number }, value: number | undefined) => {
    if (value !== undefined) knobs.setUint32(knob.offset, value, true);
  };
  u32(knobAt.payloadBytesFirst, options.payloadBytesFirst);
  u32(knobAt.payloadBytesLater, options.payloadBytesLater);
  u32(knobAt.pendingBytesMax, options.pendingBytesMax);
  u32(knobAt.secondBytesMax, options.secondBytesMax);
  knobs.setUint8(knobAt.filterPrograms.offset, options.tgids === undefined ? 0 : 1);
  knobs.setUint8(knobAt.filterPorts.offset, options.ports === undefined ? 0 : 1);
  if (options.comm !== undefined) {
    const name = new TextEncoder().encode(options.comm).subarray(0, knobAt.commWanted.bytes - 1);
    name.forEach((byte, i) => knobs.setUint8(knobAt.commWanted.offset + i, byte));
    knobs.setUint8(knobAt.filterComm.offset, 1);
  }
  object.setMaxEntries("ring", ringBytes);
  const used = HOOKS.filter((hook) => hook.paths.includes(path) && present.has(hook.tracepoint));
  for (const hook of HOOKS) if (!used.includes(hook)) object.leaveOutProgram(hook.program);
  return used;
}

function attachAll(object: BpfObject, hooks: readonly Hook[], cgroup: string | undefined): void {
  for (const hook of hooks) {
    if (hook.needed === "asked") continue;
    if (hook.tracepoint !== "cgroup") object.attach(hook.program);
    else if (cgroup !== undefined) object.attachCgroup(hook.program, cgroup);
  }
}

function features(present: ReadonlySet<string>, path: CapturePath): Feature[] {
  return HOOKS.map((hook) => {
    const { program: name, gives } = hook;
    if (!present.has(hook.tracepoint) && hook.tracepoint === "cgroup") {
      const reason = "no cgroup v2 is mounted";
      return { name, on: false, gives, reason, remedy: "mount cgroup2 at /sys/fs/cgroup/unified" };
    }
    if (!present.has(hook.tracepoint)) {
      const reason = `the kernel has no tracepoint ${hook.tracepoint}`;
      return { name, on: false, gives, reason, remedy: `run Linux ${hook.since} or newer` };
    }
    if (hook.paths.includes(path) && hook.needed === "asked") {
      return { name, on: true, gives, reason: "attached when a message needs it" };
    }
    if (hook.paths.includes(path)) return { name, on: true, gives };
    return { name, on: false, gives, reason: `the ${path} path does not use it` };
  });
}

function readDrops(object: BpfObject, cpus: number, hooks: readonly Hook[]): KernelDrops {
  const map = object.map("drops");
  const perCpu = new BigUint64Array(cpus);
  const total = (reason: number): bigint => {
    map.lookup(new Uint32Array([reason]), perCpu);
    return perCpu.reduce((sum, count) => sum + count, 0n);
  };
  return {
    ring_full: total(dropReason.ringFull),
    kernel_storage: total(dropReason.socketStorage) + total(dropReason.taskStorage),
    recursion_miss: hooks.reduce((n, h) => n + object.stats(h.program).recursionMisses, 0n),
    enter_without_exit: total(dropReason.enterWithoutExit),
    payload_unreadable: total(dropReason.payloadUnreadable),
    budget_spent: total(dropReason.budget),
  };
}
