// SPDX-License-Identifier: Apache-2.0
// What this host and these privileges allow: every part that tracing needs, tried one by one.

import { type Capture, type KernelDrops, openCapture } from "../../ffi/capture.ts";
import { type HostFiles, openHostFiles } from "../../ffi/host_files.ts";
import { type HostSupport, probeHost } from "../../ffi/host_support.ts";
import { openLibbpf } from "../../ffi/libbpf.ts";
import { openLibc } from "../../ffi/libc.ts";
import { blindNow } from "./blind_now.ts";
import { goChecks } from "./go_checks.ts";
import { pythonChecks } from "./python_checks.ts";

/** One thing that was tried. "off" is a loss, "broken" means that tracing cannot work. */
export interface Check {
  readonly name: string;
  readonly state: "on" | "off" | "broken";
  /** What it gives, or what was found. */
  readonly finding: string;
  /** Why it is not on, and what would turn it on; "" when on. */
  readonly reason: string;
  readonly remedy: string;
}

export interface Diagnosis {
  readonly canTrace: boolean;
  readonly capturePath: string;
  readonly checks: readonly Check[];
  /** Traffic that no hook sees, and why. */
  readonly escapes: readonly string[];
  readonly trial: Trial | null;
}

/** What a short capture of the whole host gave. */
export interface Trial {
  readonly ms: number;
  readonly records: number;
  readonly drops: Readonly<Record<string, number>>;
}

const TRIAL_MS = 500;

export async function checkHost(): Promise<Diagnosis> {
  const checks: Check[] = [];
  /** Records one check; true when it is on. */
  const tryOut = (name: string, find: () => string): boolean => {
    try {
      checks.push({ name, state: "on", finding: find(), reason: "", remedy: "" });
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const [reason = "", ...remedy] = message.replace(/^Cannot [^:]*: /, "").split("; ");
      checks.push({ name, state: "broken", finding: "", reason, remedy: remedy.join("; ") });
      return false;
    }
  };
  tryOut("kernel", () => `Linux ${Deno.osRelease()}, ${Deno.build.arch}`);
  using libc = openLibc();
  const files = openHostFiles(libc);
  const hasLibbpf = tryOut("libbpf", () => {
    using libbpf = openLibbpf();
    return `${libbpf.version} (${libbpf.path})`;
  });
  checks.push(...kernelSettings(files));
  const noCapture = { canTrace: false, capturePath: "none", checks, escapes: [], trial: null };
  const isReady = hasLibbpf && tryOut("privileges and BTF", () => {
    using libbpf = openLibbpf();
    return describeSupport(probeHost(libbpf, libc, files));
  });
  if (!isReady) return noCapture;
  let opened: Capture | undefined;
  tryOut("programs", () => {
    opened = openCapture();
    return `loaded and attached, ${opened.path} path`;
  });
  if (opened === undefined) return noCapture;
  using capture = opened;
  for (const { name, on, gives, reason = "", remedy = "" } of capture.features) {
    checks.push({ name, state: on ? "on" : "off", finding: gives, reason, remedy });
  }
  checks.push(...goChecks(capture.processes, libc));
  checks.push(...pythonChecks(capture.processes, files, libc));
  return {
    canTrace: true,
    capturePath: capture.path,
    checks,
    escapes: [...escapesOf(capture), ...blindNow(capture.processes, files)],
    trial: await tryCapture(capture),
  };
}

function describeSupport({ tracepoints, tracefs, cgroup }: HostSupport): string {
  const has = (name: string, isThere: boolean) => `${name} ${isThere ? "yes" : "no"}`;
  const places = [has("tracefs", tracefs), has("cgroup v2", cgroup !== undefined)].join(", ");
  return `may load BPF programs; BTF names ${tracepoints.size} of our tracepoints; ${places}`;
}

/** Settings that change what tracing costs, but not whether it works. */
function kernelSettings(files: HostFiles): Check[] {
  const jit = files.text("/proc/sys/net/core/bpf_jit_enable")?.trim();
  if (jit !== "0") return [];
  return [{
    name: "bpf jit",
    state: "off",
    finding: "compiles BPF programs",
    reason: "net.core.bpf_jit_enable is 0, so that programs are interpreted and slow",
    remedy: "sysctl net.core.bpf_jit_enable=1",
  }];
}

function escapesOf({ path, features }: Capture): string[] {
  const isOn = (program: string) => features.some(({ name, on }) => name === program && on);
  const always = [
    "TLS: the bytes are encrypted before they reach the socket; connections are seen, not requests",
    "splice out of a socket, and memory-mapped receives (TCP_ZEROCOPY_RECEIVE)",
    "shared memory, pipes and files: only sockets are seen",
    "network stacks that bypass the kernel (DPDK, RDMA, AF_XDP)",
    "this program itself",
  ];
  const fast = path === "fast";
  return [
    ...(fast ? ["io_uring receives: sizes are seen, bytes are not"] : [
      "io_uring, sendfile and splice into a socket: the portable path hooks system calls only",
      "32-bit programs: their system calls are not hooked on the portable path",
    ]),
    ...(fast && !isOn("tcp_send_start") ? ["io_uring sends: sizes are seen, bytes are not"] : []),
    ...always,
  ];
}

async function tryCapture(capture: Capture): Promise<Trial> {
  const startMs = performance.now();
  let records = 0;
  while (performance.now() - startMs < TRIAL_MS) {
    records += capture.drain(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const drops = Object.entries(capture.drops() satisfies KernelDrops)
    .map(([reason, count]) => [reason, Number(count)] as const)
    .filter(([, count]) => count > 0);
  return {
    ms: Math.round(performance.now() - startMs),
    records,
    drops: Object.fromEntries(drops),
  };
}
