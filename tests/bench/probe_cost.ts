// SPDX-License-Identifier: Apache-2.0
// What the kernel programs cost: run time per call by the kernel's own statistics, in units of the
// floor (a hash update and a look-up with delete in two tracepoints, running at the same time), and
// wall time per call with statistics off, traced against untraced.

import { dataEventAt, eventKind, verdict } from "../../bpf/event.gen.ts";
import { BpfObject, type ProgramStats } from "../../ffi/bpf_object.ts";
import { type Capture, type CaptureOptions, type CapturePath } from "../../ffi/capture.ts";
import { openCapture, type Verdict } from "../../ffi/capture.ts";
import { openLibbpf } from "../../ffi/libbpf.ts";
import { openLibc } from "../../ffi/libc.ts";
import { type Load, startLoad } from "./syscall_load_process.ts";
import { median } from "./median.ts";

/** Run time of our programs per call; `floorNs` was measured in the same moments. */
export interface ProbeCost {
  readonly path: CapturePath;
  readonly calls: "captured" | "ignored" | "not a socket";
  readonly nsPerCall: number;
  readonly floorNs: number;
  /** Most that it may cost, in floors. */
  readonly target: number;
}

/** Wall time of one round of system calls; the medians of paired runs. */
export interface WallTime {
  readonly round: "getppid" | "write + read of devices" | "write + read over TCP";
  readonly tracer: string;
  readonly untracedNs: number;
  readonly tracedNs: number;
}

export interface ProbeCostReport {
  readonly costs: readonly ProbeCost[];
  readonly wall: readonly WallTime[];
}

const ROUNDS = 5;
const CALLS = 40_000;

const TRACERS: Record<string, CaptureOptions> = {
  "fast": { path: "fast", turns: false },
  "fast + turns": { path: "fast", turns: true },
  "portable": { path: "portable", turns: false },
};

const KINDS = [
  ["getppid", "getppid", 200_000],
  ["null", "write + read of devices", 100_000],
  ["tcp", "write + read over TCP", 20_000],
] as const;

if (import.meta.main) {
  const report = await probeCost();
  console.log(formatProbeCost(report));
}

/** Needs root and about half a minute; other load on the machine blurs the numbers. */
export async function probeCost(): Promise<ProbeCostReport> {
  const costs: ProbeCost[] = [];
  for (const path of ["fast", "portable"] as const) costs.push(...await measurePath(path));
  const wall: WallTime[] = [];
  for (const [tracer, options] of Object.entries(TRACERS)) {
    wall.push(...await measureWall(tracer, options));
  }
  return { costs, wall };
}

export function formatProbeCost({ costs, wall }: ProbeCostReport): string {
  const lines = ["run time per call      ns   floor   × floor   target"];
  for (const { path, calls, nsPerCall, floorNs, target } of costs) {
    const ratio = nsPerCall / floorNs;
    lines.push(
      `${`${path}, ${calls}`.padEnd(20)}${nsPerCall.toFixed(0).padStart(5)}` +
        `${floorNs.toFixed(0).padStart(8)}${ratio.toFixed(2).padStart(10)}` +
        `${`≤ ${target}`.padStart(9)}${ratio <= target ? "" : "  missed"}`,
    );
  }
  lines.push("", "wall time per round                        untraced   traced    more");
  for (const { round, tracer, untracedNs, tracedNs } of wall) {
    const more = tracedNs - untracedNs;
    lines.push(
      `${`${round}, ${tracer}`.padEnd(42)}${untracedNs.toFixed(0).padStart(9)}` +
        `${tracedNs.toFixed(0).padStart(9)}${more.toFixed(0).padStart(8)}`,
    );
  }
  return lines.join("\n");
}

/** A capture whose ring is emptied beside the load, and that can decide on the load's sockets. */
interface Attached extends AsyncDisposable {
  readonly capture: Capture;
  decide(verdict: Verdict): Promise<void>;
}

function attach(load: Load, options: CaptureOptions): Attached {
  const capture = openCapture(options);
  const cookies = new Map<bigint, number>();
  let over = false;
  const take = (view: DataView, base: number) => {
    if (view.getUint8(base + dataEventAt.kind) !== eventKind.data) return;
    if (view.getUint32(base + dataEventAt.tgid, true) !== load.pid) return;
    const cookie = view.getBigUint64(base + dataEventAt.cookie, true);
    cookies.set(cookie, view.getUint8(base + dataEventAt.verdict));
  };
  const loop = (async () => {
    while (!over) {
      capture.drain(take);
      await capture.wait();
    }
  })();
  return {
    capture,
    async decide(wanted) {
      await load.run("tcp", 10);
      while (cookies.size < 2) await capture.wait();
      for (const cookie of cookies.keys()) capture.setVerdict(cookie, wanted);
      capture.bumpGeneration();
      await load.run("tcp", 10);
      if (wanted === "ignore") return;
      while ([...cookies.values()].some((code) => code !== verdict[wanted])) await capture.wait();
    },
    async [Symbol.asyncDispose]() {
      over = true;
      await loop;
      capture[Symbol.dispose]();
    },
  };
}

async function measurePath(path: CapturePath): Promise<ProbeCost[]> {
  await using load = startLoad();
  await using attached = attach(load, { path, turns: false });
  using floor = openFloor();
  using _stats = attached.capture.enableStats();
  const captured = path === "fast" ? 1.2 : 2;
  const measure = async (calls: ProbeCost["calls"], kind: "tcp" | "null", target: number) => {
    const rounds: { ns: number; floorNs: number }[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await measureRound(load, attached, floor, kind));
    const nsPerCall = median(rounds.map((round) => round.ns));
    return { path, calls, nsPerCall, floorNs: median(rounds.map((r) => r.floorNs)), target };
  };
  await attached.decide("prefix");
  const costs = [await measure("captured", "tcp", captured)];
  await attached.decide("ignore");
  costs.push(await measure("ignored", "tcp", path === "fast" ? 0.3 : 1));
  costs.push(await measure("not a socket", "null", path === "fast" ? 0.01 : 1));
  return costs;
}

/** Both calls of a round at once: `ns` is the mean of a write and a read. */
async function measureRound(
  load: Load,
  { capture }: Attached,
  floor: Floor,
  kind: "tcp" | "null",
): Promise<{ ns: number; floorNs: number }> {
  const before = [...capture.programStats(), ...floor.stats()];
  await load.run(kind, CALLS);
  const after = [...capture.programStats(), ...floor.stats()];
  const perRun = new Map<string, number>();
  for (const [i, now] of after.entries()) perRun.set(now.program, meanNs(before[i], now, CALLS));
  const of = (program: string) => perRun.get(program) ?? 0;
  const sends = of("socket_send") + of("tcp_send_start");
  const fast = (sends + of("socket_receive")) / 2;
  return {
    ns: fast + of("call_enter") + of("call_exit"),
    floorNs: of("floor_enter") + of("floor_exit"),
  };
}

/** 0 when the load did not run the program: then other processes of the host did. */
function meanNs(before: ProgramStats | undefined, now: ProgramStats, calls: number): number {
  const runs = Number(now.runs - (before?.runs ?? 0n));
  return runs < calls / 2 ? 0 : Number(now.runNs - (before?.runNs ?? 0n)) / runs;
}

interface Floor extends Disposable {
  stats(): ProgramStats[];
}

function openFloor(): Floor {
  using stack = new DisposableStack();
  const libc = stack.use(openLibc());
  const libbpf = stack.use(openLibbpf());
  const bytes = Deno.readFileSync(new URL("../../bpf/floor.bpf.o", import.meta.url));
  const object = stack.use(new BpfObject(libbpf, libc, bytes));
  object.load();
  const programs = ["floor_enter", "floor_exit"];
  for (const program of programs) object.attach(program);
  const owned = stack.move();
  return {
    stats: () => programs.map((program) => object.stats(program)),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

async function measureWall(tracer: string, options: CaptureOptions): Promise<WallTime[]> {
  await using load = startLoad();
  const untraced = new Map<string, number[]>();
  const traced = new Map<string, number[]>();
  const note = async (into: Map<string, number[]>) => {
    for (const [kind, , count] of KINDS) {
      into.set(kind, [...into.get(kind) ?? [], await load.run(kind, count)]);
    }
  };
  for (let i = 0; i < ROUNDS; i++) {
    await note(untraced);
    await using attached = attach(load, options);
    await attached.decide("prefix");
    await note(traced);
  }
  return KINDS.map(([kind, round]) => ({
    round,
    tracer,
    untracedNs: median(untraced.get(kind) ?? []),
    tracedNs: median(traced.get(kind) ?? []),
  }));
}
