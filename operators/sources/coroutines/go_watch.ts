// SPDX-License-Identifier: Apache-2.0
// Finds the Go programs among the processes, and tells the kernel side how to read their
// goroutines: each program file is looked at once, and probed while a process runs it and for a
// while after, because to take a probe away is slow, and compilers come and go by the hundred.

import type { GoFunctionRole, GoProbes } from "../../../ffi/go_probes.ts";
import type { HostFile } from "../../../ffi/host_file.ts";
import type { HostFiles } from "../../../ffi/host_files.ts";
import type { ProcessFact } from "../../../model/capture_record.ts";
import { type GoProgram, type Inspected, inspectProgram } from "./go_program.ts";

export interface GoHost {
  readonly files: Pick<HostFiles, "text">;
  readonly open: (path: string) => HostFile | undefined;
  readonly probes: GoProbes;
}

/** A Go program file that some process runs. */
export interface GoSeen {
  /** Processes that run it, and the one that was met first. */
  readonly tgids: readonly number[];
  readonly exe: string;
  /** What cannot be told of it, and why; empty where all is well. */
  readonly gaps: readonly string[];
}

export interface GoWatch extends Disposable {
  /** A process that is there already. */
  readonly meet: (tgid: number, exe: string) => void;
  readonly take: (fact: ProcessFact) => void;
  /** Go programs that run now, or ran and could not be read whole. */
  seen(): readonly GoSeen[];
}

/** Program files with probes at one time, and files of which is remembered what they are. */
const PROBED_MAX = 256;
const REMEMBERED_MAX = 4_096;

/** Files stay probed while nobody runs them, so many and for so long: the kernel keeps the file. */
const IDLE_MAX = 16;
const IDLE_NS = 30_000_000_000n;

interface Binary {
  readonly inspected: Inspected;
  readonly gaps: string[];
  readonly probes: (Disposable & AsyncDisposable)[];
  readonly users: Set<number>;
  first: { readonly tgid: number; readonly exe: string } | null;
}

interface Process {
  readonly binary: Binary;
  readonly roles: readonly GoFunctionRole[];
}

export function goWatch(host: GoHost): GoWatch {
  const binaries = new Map<string, Binary>();
  const processes = new Map<number, Process>();
  /** Probed, and since when nobody runs it. */
  const idle = new Map<Binary, bigint>();
  let nowNs = 0n;
  let probed = 0;

  function meet(tgid: number, exe: string): void {
    leave(tgid);
    const path = `/proc/${tgid}/exe`;
    using file = host.open(path);
    if (file === undefined) return;
    const binary = binaries.get(file.identity) ?? remember(file);
    const { inspected } = binary;
    if (inspected.kind === "other") return;
    binary.first ??= { tgid, exe };
    if (inspected.kind === "unreadable") return;
    const roles = rolesOf(inspected, tgid, host.files);
    if (roles === null) return;
    binary.users.add(tgid);
    processes.set(tgid, { binary, roles });
    host.probes.add(tgid, inspected.layout, roles);
    if (!idle.delete(binary) && binary.users.size === 1) attach(binary, inspected, path);
  }

  function leave(tgid: number): void {
    const process = processes.get(tgid);
    if (process === undefined) return;
    const { binary, roles } = process;
    processes.delete(tgid);
    host.probes.forget(tgid, roles);
    if (!binary.users.delete(tgid) || binary.users.size > 0 || binary.probes.length === 0) return;
    idle.set(binary, nowNs);
    for (const [each, sinceNs] of idle) {
      if (idle.size <= IDLE_MAX && nowNs - sinceNs < IDLE_NS) break;
      detach(each);
    }
  }

  /** Not waited for: what was attached before is not missed. */
  function detach(binary: Binary): void {
    idle.delete(binary);
    probed--;
    for (const probe of binary.probes.splice(0)) void probe[Symbol.asyncDispose]();
  }

  function remember(file: HostFile): Binary {
    const inspected = inspectProgram(file);
    const gaps = inspected.kind === "go" ? [...inspected.gaps] : [];
    const binary = { inspected, gaps, probes: [], users: new Set<number>(), first: null };
    if (binaries.size >= REMEMBERED_MAX) forgetUnused(binaries);
    binaries.set(file.identity, binary);
    return binary;
  }

  function attach(binary: Binary, { probes }: GoProgram, path: string): void {
    if (probes.length === 0) return;
    const isFull = probed >= PROBED_MAX;
    const reason = host.probes.whyNot ??
      (isFull ? `${PROBED_MAX} program files are probed already` : null);
    if (reason !== null) return noteGap(binary, `it is not probed: ${reason}`);
    try {
      for (const [program, places] of Map.groupBy(probes, ({ program }) => program)) {
        binary.probes.push(host.probes.attach(program, path, places.map(({ at }) => at)));
      }
    } catch (error) {
      noteGap(binary, error instanceof Error ? error.message : String(error));
    }
    if (binary.probes.length > 0) probed++;
  }

  return {
    meet,
    take({ what, emitNs, program: { tgid, exe } }) {
      nowNs = emitNs;
      if (what === "exit") leave(tgid);
      else if (what !== "fork") meet(tgid, exe);
    },
    seen: () =>
      [...binaries.values()].flatMap(({ inspected, first, gaps, users }) => {
        if (first === null) return [];
        const tgids = [...new Set([first.tgid, ...users])];
        const reasons = inspected.kind === "unreadable" ? [inspected.reason] : gaps;
        return [{ tgids, exe: first.exe, gaps: reasons }];
      }),
    [Symbol.dispose]() {
      for (const tgid of [...processes.keys()]) leave(tgid);
      for (const { probes } of idle.keys()) {
        for (const probe of probes.splice(0)) probe[Symbol.dispose]();
      }
    },
  };
}

function noteGap({ gaps }: Binary, gap: string): void {
  if (!gaps.includes(gap)) gaps.push(gap);
}

function forgetUnused(binaries: Map<string, Binary>): void {
  for (const [identity, { users }] of binaries) if (users.size === 0) binaries.delete(identity);
}

/** With addresses as the process has them; null when it is gone. */
function rolesOf(
  { roles, linkedAt, layout: { receiverAt } }: GoProgram,
  tgid: number,
  files: GoHost["files"],
): GoFunctionRole[] | null {
  const loadedAt = linkedAt === null || roles.length === 0 ? 0n : loadAddress(tgid, files);
  if (loadedAt === null) return null;
  const shift = loadedAt - BigInt(linkedAt ?? 0);
  return roles.map(({ entry, role }) => ({ entry: BigInt(entry) + shift, role, receiverAt }));
}

/** Where the kernel has put a movable program: the first page of its file. */
function loadAddress(tgid: number, files: GoHost["files"]): bigint | null {
  const maps = files.text(`/proc/${tgid}/maps`);
  // Of a file, from its beginning: 55d0c0a00000-… r-xp 00000000 08:01 1234 /bin/x. Libraries come
  // later, the heap of Go may come before.
  const first = /^([0-9a-f]+)-[0-9a-f]+ \S+ 0+ \S+ [1-9]/m.exec(maps ?? "");
  return first?.[1] === undefined ? null : BigInt(`0x${first[1]}`);
}
