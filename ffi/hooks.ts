// SPDX-License-Identifier: Apache-2.0
// Where the kernel programs are hooked in, what each gives, and whether this kernel has the place.

import type { HostFiles } from "./host_files.ts";
import { BpfError } from "./bpf_error.ts";
import type { Libbpf } from "./libbpf.ts";
import { cString, type Libc } from "./libc.ts";

export type CapturePath = "fast" | "portable";

export interface Hook {
  readonly program: string;
  /** Tracepoint reached through BTF, or "cgroup" for a hook at the root of cgroup v2. */
  readonly tracepoint: string;
  /** Paths that use it. */
  readonly paths: readonly CapturePath[];
  /** Without it the path cannot work. "asked": attached when a message needs it. */
  readonly needed: boolean | "asked";
  readonly gives: string;
  /** First kernel that has it. */
  readonly since: string;
}

const BOTH = ["fast", "portable"] as const;
const FAST = ["fast"] as const;

/** Programs hooked to tracepoints through BTF, in the order in which they are attached. */
export const HOOKS: readonly Hook[] = [
  {
    program: "process_fork",
    tracepoint: "sched_process_fork",
    paths: BOTH,
    needed: true,
    gives: "new processes",
    since: "5.8",
  },
  {
    program: "process_exec",
    tracepoint: "sched_process_exec",
    paths: BOTH,
    needed: true,
    gives: "program names and arguments of short-lived processes",
    since: "5.8",
  },
  {
    program: "process_exit",
    tracepoint: "sched_process_exit",
    paths: BOTH,
    needed: true,
    gives: "ends of processes and threads",
    since: "5.8",
  },
  {
    program: "socket_state_change",
    tracepoint: "inet_sock_set_state",
    paths: FAST,
    needed: true,
    gives: "role, start and end of TCP connections",
    since: "5.8",
  },
  {
    program: "socket_send",
    tracepoint: "sock_send_length",
    paths: FAST,
    needed: true,
    gives: "everything written to sockets, sendfile, splice and io_uring included",
    since: "6.3",
  },
  {
    program: "socket_receive",
    tracepoint: "sock_recv_length",
    paths: FAST,
    needed: true,
    gives: "everything read from sockets; no bytes of io_uring reads",
    since: "6.3",
  },
  {
    program: "tcp_send_start",
    tracepoint: "tcp_sendmsg_locked",
    paths: FAST,
    needed: "asked",
    gives: "exact sequence numbers when writers race, start of sends, bytes of io_uring sends",
    since: "6.16",
  },
  {
    program: "datagram_sender4",
    tracepoint: "cgroup",
    paths: FAST,
    needed: false,
    gives: "senders of IPv4 datagrams to sockets that are not connected",
    since: "5.8",
  },
  {
    program: "datagram_sender6",
    tracepoint: "cgroup",
    paths: FAST,
    needed: false,
    gives: "senders of IPv6 datagrams to sockets that are not connected",
    since: "5.8",
  },
];

/** Programs that look at sockets older than the tracer. */
export const SEEDS = ["seed_listening", "seed_sockets"] as const;

/** One line of what capture can do here; `remedy` says how to turn on what is off. */
export interface Feature {
  readonly name: string;
  readonly on: boolean;
  readonly gives: string;
  readonly reason?: string;
  readonly remedy?: string;
}

/**
 * Names of the tracepoints of HOOKS that the running kernel has, "cgroup" included when there is
 * a cgroup v2. Throws when the kernel has no BTF.
 */
export function probeTracepoints(libbpf: Libbpf, files: HostFiles): ReadonlySet<string> {
  const btf = libbpf.call.btf__load_vmlinux_btf();
  if (btf === null) {
    throw new BpfError(
      "Cannot trace: the kernel offers no BTF type information at /sys/kernel/btf/vmlinux; " +
        "run a kernel built with CONFIG_DEBUG_INFO_BTF=y (all large distributions since 2021)",
      2,
      "btf__load_vmlinux_btf",
    );
  }
  const has = (tracepoint: string) =>
    tracepoint === "cgroup"
      ? cgroupRoot(files) !== undefined
      : libbpf.call.btf__find_by_name_kind(btf, cString(`btf_trace_${tracepoint}`), KIND_TYPEDEF) >
        0;
  const found = HOOKS.map((hook) => hook.tracepoint).filter(has);
  libbpf.call.btf__free(btf);
  return new Set(found);
}

const KIND_TYPEDEF = 8;

/** Inode number of the first pid namespace of every Linux. */
const INIT_PID_NAMESPACE = "pid:[4026531836]";
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;
const CAP_SYS_ADMIN = 21n;

/** Throws BpfError with the remedy when this process may not, or should not, trace. */
export function checkPrivileges(files: HostFiles): void {
  const status = files.text("/proc/self/status") ?? "";
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const has = (capability: bigint) => (bits >> capability & 1n) === 1n;
  if (!has(CAP_SYS_ADMIN) && !(has(CAP_BPF) && has(CAP_PERFMON))) {
    throw new BpfError(
      "Cannot trace: this process may not load BPF programs; " +
        "run it as root, or give it CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
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
export function cgroupRoot(files: HostFiles): string | undefined {
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) =>
    files.text(`${path}/cgroup.controllers`) !== undefined
  );
}

const TRACEFS = "/sys/kernel/tracing";

/** Mounts tracefs when it is missing and may be mounted; returns whether it is there. */
export function ensureTracefs(libc: Libc, files: HostFiles): boolean {
  if (files.text(`${TRACEFS}/events/syscalls/sys_enter_read/id`) !== undefined) return true;
  libc.call.mount(cString("tracefs"), cString(TRACEFS), cString("tracefs"), 0n, null);
  return files.text(`${TRACEFS}/events/syscalls/sys_enter_read/id`) !== undefined;
}
