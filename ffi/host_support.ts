// SPDX-License-Identifier: Apache-2.0
// What this kernel and these privileges allow: read once before the programs are loaded.

import { BpfError } from "./bpf_error.ts";
import type { HostFiles } from "./host_files.ts";
import { type CapturePath, type Hook, HOOKS } from "./hooks.ts";
import type { Libbpf } from "./libbpf.ts";
import { cString, type Libc } from "./libc.ts";

export interface HostSupport {
  /** Tracepoints of HOOKS that are there. */
  readonly tracepoints: ReadonlySet<string>;
  /** tracefs is mounted with system call tracepoints. */
  readonly tracefs: boolean;
  /** Root folder of cgroup v2. */
  readonly cgroup: string | undefined;
  /** Programs may be attached to functions of user space. */
  readonly uprobes: boolean;
  /** One link attaches a program to several of them (6.6). */
  readonly uprobeMulti: boolean;
  /** State of threads can live with the thread (5.12). */
  readonly taskStorage: boolean;
}

/** One line of what capture can do here; `remedy` says how to turn on what is off. */
export interface Feature {
  readonly name: string;
  readonly on: boolean;
  readonly gives: string;
  readonly reason?: string;
  readonly remedy?: string;
}

/** Throws BpfError when this process may not trace at all, or the kernel has no BTF. */
export function probeHost(libbpf: Libbpf, libc: Libc, files: HostFiles): HostSupport {
  checkPrivileges(files);
  const { tracepoints, uprobeMulti } = probeTypes(libbpf);
  return {
    tracepoints,
    uprobeMulti,
    tracefs: ensureTracefs(libc, files),
    cgroup: cgroupRoot(files),
    uprobes: files.text(UPROBE_TYPE) !== undefined,
    taskStorage: libbpf.call.libbpf_probe_bpf_map_type(TASK_STORAGE, null) === 1,
  };
}

/** Whether a hook can be attached here. */
export function supports(host: HostSupport, hook: Hook): boolean {
  switch (hook.place.kind) {
    case "btf":
      return host.tracepoints.has(hook.place.tracepoint);
    case "cgroup":
      return host.cgroup !== undefined;
    case "syscalls":
      return host.tracefs;
    case "function":
      return host.uprobes;
  }
}

/** Throws BpfError when the wanted path, or any, cannot work here. */
export function choosePath(host: HostSupport, wanted?: CapturePath): CapturePath {
  const lacks = (path: CapturePath) =>
    HOOKS.find((hook) =>
      hook.attach === "always" && hook.paths.includes(path) && !supports(host, hook)
    );
  for (const path of wanted === undefined ? ["fast", "portable"] as const : [wanted]) {
    const missing = lacks(path);
    if (missing === undefined) return path;
    if (path === "portable" || wanted !== undefined) {
      const { reason, remedy } = whyOff(missing);
      throw new BpfError(`Cannot capture on the ${path} path: ${reason}; ${remedy}`, 2, "attach");
    }
  }
  return "portable";
}

/** All hooks with the state they have when capture runs on `path`. */
export function featuresOf(host: HostSupport, path: CapturePath, turns: boolean): Feature[] {
  return HOOKS.map((hook) => {
    const { program: name, gives } = hook;
    if (!supports(host, hook)) return { name, on: false, gives, ...whyOff(hook) };
    if (!hook.paths.includes(path)) {
      return { name, on: false, gives, reason: `not needed on the ${path} path` };
    }
    if (hook.attach === "turns" && !turns) {
      return { name, on: false, gives, reason: "turns are switched off" };
    }
    if (hook.attach === "asked") {
      return { name, on: true, gives, reason: "attached once a message needs it" };
    }
    if (hook.attach === "found") {
      return { name, on: true, gives, reason: "attached to Go programs as they are found" };
    }
    return { name, on: true, gives };
  });
}

function whyOff(hook: Hook): { reason: string; remedy: string } {
  switch (hook.place.kind) {
    case "btf":
      return {
        reason: `the kernel has no tracepoint ${hook.place.tracepoint}`,
        remedy: `run Linux ${hook.since} or newer`,
      };
    case "cgroup":
      return {
        reason: "no cgroup v2 is mounted",
        remedy: "mount -t cgroup2 none /sys/fs/cgroup/unified",
      };
    case "syscalls":
      return {
        reason: `tracefs with system call events is not mounted at ${TRACEFS}`,
        remedy: `mount -t tracefs tracefs ${TRACEFS}, on a kernel with CONFIG_FTRACE_SYSCALLS=y`,
      };
    case "function":
      return {
        reason: "the kernel has no uprobes",
        remedy: "run a kernel with CONFIG_UPROBE_EVENTS=y",
      };
  }
}

const UPROBE_TYPE = "/sys/bus/event_source/devices/uprobe/type";
const KIND_STRUCT = 4;
const KIND_TYPEDEF = 8;
const TASK_STORAGE = 29;

/** What shows in the types of the kernel. */
function probeTypes(libbpf: Libbpf): Pick<HostSupport, "tracepoints" | "uprobeMulti"> {
  const btf = libbpf.call.btf__load_vmlinux_btf();
  if (btf === null) {
    throw new BpfError(
      "Cannot trace: the kernel offers no BTF type information at /sys/kernel/btf/vmlinux; " +
        "run a kernel built with CONFIG_DEBUG_INFO_BTF=y (all large distributions since 2021)",
      2,
      "btf__load_vmlinux_btf",
    );
  }
  const has = (name: string, kind: number) =>
    libbpf.call.btf__find_by_name_kind(btf, cString(name), kind) > 0;
  const tracepoints = new Set<string>();
  for (const { place } of HOOKS) {
    if (place.kind !== "btf") continue;
    if (has(`btf_trace_${place.tracepoint}`, KIND_TYPEDEF)) tracepoints.add(place.tracepoint);
  }
  const uprobeMulti = has("bpf_uprobe_multi_link", KIND_STRUCT);
  libbpf.call.btf__free(btf);
  return { tracepoints, uprobeMulti };
}

/** Link to the first pid namespace of every Linux. */
const INIT_PID_NAMESPACE = "pid:[4026531836]";
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

function checkPrivileges(files: HostFiles): void {
  const status = files.text("/proc/self/status") ?? "";
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const has = (capability: bigint) => (bits >> capability & 1n) === 1n;
  if (!has(CAP_SYS_ADMIN) && !(has(CAP_BPF) && has(CAP_PERFMON) && has(CAP_NET_ADMIN))) {
    throw new BpfError(
      "Cannot trace: this process may not load BPF programs; " +
        "run it as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
      1,
      "bpf",
    );
  }
  const namespace = files.link("/proc/self/ns/pid");
  if (namespace !== INIT_PID_NAMESPACE) {
    throw new BpfError(
      `Cannot trace: this process is in the pid namespace ${namespace ?? "unknown"}, and process ` +
        "ids would be wrong; run it on the host itself (docker run --pid=host)",
      1,
      "readlink",
    );
  }
}

/** Where cgroup v2 is mounted: alone, or beside version 1. */
function cgroupRoot(files: HostFiles): string | undefined {
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) =>
    files.text(`${path}/cgroup.controllers`) !== undefined
  );
}

const TRACEFS = "/sys/kernel/tracing";

/** Mounts tracefs when it is missing and may be mounted; returns whether it is there. */
export function ensureTracefs(libc: Libc, files: HostFiles): boolean {
  const there = () => files.text(`${TRACEFS}/events/syscalls/sys_enter_read/id`) !== undefined;
  if (there()) return true;
  libc.call.mount(cString("tracefs"), cString(TRACEFS), cString("tracefs"), 0n, null);
  return there();
}
