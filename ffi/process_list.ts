// SPDX-License-Identifier: Apache-2.0
// The processes that are there when capture starts: exact identity from the kernel, texts of /proc.

import { processSeedAt as at, processSeedBytes } from "../bpf/event.gen.ts";
import type { HostFiles } from "./host_files.ts";

export interface ProcessSeed {
  readonly tgid: number;
  /** Start of the group leader, boot time ns; with tgid and execCount the identity. */
  readonly startNs: bigint;
  readonly execCount: number;
  readonly comm: string;
  /** Path of the program, "" when it cannot be told. */
  readonly exe: string;
  readonly argv: readonly string[];
  readonly parentTgid: number;
  readonly cgroupId: bigint;
  /** Path in the v2 hierarchy, or of the memory controller where version 1 is in use. */
  readonly cgroup: string;
  /** Process id inside its own pid namespace. */
  readonly innerPid: number;
  readonly pidns: number;
  readonly netns: number;
  readonly mntns: number;
}

/** `records` is what the iterator seed_processes wrote. */
export function readProcessSeeds(records: Uint8Array, files: HostFiles): ProcessSeed[] {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const seeds: ProcessSeed[] = [];
  for (let base = 0; base + processSeedBytes <= view.byteLength; base += processSeedBytes) {
    const u32 = (field: number) => view.getUint32(base + field, true);
    const tgid = u32(at.tgid);
    seeds.push({
      tgid,
      startNs: view.getBigUint64(base + at.leaderStartNs, true),
      execCount: u32(at.execCount),
      comm: untilNul(records.subarray(base + at.comm, base + at.comm + COMM_BYTES)),
      exe: files.link(`/proc/${tgid}/exe`) ?? "",
      argv: readArgv(files, tgid),
      parentTgid: u32(at.ppid),
      cgroupId: view.getBigUint64(base + at.cgroupId, true),
      cgroup: readCgroup(files, tgid),
      innerPid: u32(at.innerPid),
      pidns: u32(at.pidNs),
      netns: u32(at.netNs),
      mntns: u32(at.mntNs),
    });
  }
  return seeds;
}

/** Where each process handles SIGUSR1; 0: nowhere, so that it would end, 1: it ignores it. */
export function readUsr1Handlers(records: Uint8Array): Map<number, number> {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const handlers = new Map<number, number>();
  for (let base = 0; base + processSeedBytes <= view.byteLength; base += processSeedBytes) {
    const handler = view.getBigUint64(base + at.usr1Handler, true);
    handlers.set(view.getUint32(base + at.tgid, true), Number(handler));
  }
  return handlers;
}

/** Children of `roots`, their children and so on; without the roots. */
export function descendants(
  processes: readonly Pick<ProcessSeed, "tgid" | "parentTgid">[],
  roots: readonly number[],
): number[] {
  const children = Map.groupBy(processes, (process) => process.parentTgid);
  const found = new Set<number>();
  const waiting = [...roots];
  for (let tgid = waiting.pop(); tgid !== undefined; tgid = waiting.pop()) {
    for (const child of children.get(tgid) ?? []) {
      if (found.has(child.tgid) || roots.includes(child.tgid)) continue;
      found.add(child.tgid);
      waiting.push(child.tgid);
    }
  }
  return [...found];
}

/** Path of a process's cgroup, "" when it is gone. */
export function readCgroup(files: HostFiles, tgid: number): string {
  const lines = (files.text(`/proc/${tgid}/cgroup`) ?? "").split("\n");
  const path = (matches: (controllers: string) => boolean) => {
    const line = lines.find((l) => matches(l.split(":", 2)[1] ?? "none"));
    return line?.slice(line.indexOf(":", line.indexOf(":") + 1) + 1);
  };
  const unified = path((controllers) => controllers === "");
  if (unified !== undefined && unified !== "/") return unified;
  return path((controllers) => controllers.split(",").includes("memory")) ?? unified ?? "";
}

const COMM_BYTES = 16;
const decoder = new TextDecoder();

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function readArgv(files: HostFiles, tgid: number): string[] {
  const text = files.text(`/proc/${tgid}/cmdline`) ?? "";
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}
