// SPDX-License-Identifier: Apache-2.0
// Finds the Go programs among the processes, and tells the kernel side how to read their
// goroutines: each program file is looked at once, and probed while a process runs it and for a
// while after, because to take a probe away is slow, and compilers come and go by the hundred.

import type { GoChannels, GoFunctionRole, GoProbes } from "../../../ffi/go_probes.ts";
import type { HostFile } from "../../../ffi/host_file.ts";
import type { HostFiles } from "../../../ffi/host_files.ts";
import type { ProcessFact } from "../../../model/capture_record.ts";
import type { GoNeed } from "./unsettled_goroutines.ts";
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
  /** Probes a process, and others that run its file, for more than is usual. */
  readonly need: (tgid: number, need: GoNeed) => void;
  /** From time to time: lets go of channels that are used too often. */
  readonly look: (nowMs: number) => void;
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
  /** It is told when goroutines are started. */
  hasBirths: boolean;
  /** Probes at its channels; null: not yet, empty: not, or no more. */
  channels: (Disposable & AsyncDisposable)[] | null;
}

interface Process {
  readonly binary: Binary;
  readonly roles: readonly GoFunctionRole[];
  /** From addresses as linked to those in the process. */
  readonly shift: bigint;
  /** Uses of its channels that were counted so far. */
  channelUses: bigint;
}

/** Uses of channels a second that are worth following: each takes some four microseconds. */
const CHANNEL_USES_MAX = 50_000;
const LOOK_MS = 1_000;

export function goWatch(host: GoHost): GoWatch {
  const binaries = new Map<string, Binary>();
  const processes = new Map<number, Process>();
  /** Probed, and since when nobody runs it. */
  const idle = new Map<Binary, bigint>();
  let nowNs = 0n;
  let probed = 0;
  let lookedMs = 0;

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
    const shift = shiftOf(inspected, tgid, host.files);
    if (shift === null) return;
    const { layout: { receiverAt } } = inspected;
    const roles = inspected.roles.map(({ entry, role }) => (
      { entry: BigInt(entry) + shift, role, receiverAt }
    ));
    binary.users.add(tgid);
    const process = { binary, roles, shift, channelUses: 0n };
    processes.set(tgid, process);
    host.probes.add(tgid, inspected.layout, channelsOf(process, inspected), roles);
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
    dropChannels(binary);
    binary.channels = null;
    binary.hasBirths = false;
  }

  function dropChannels({ channels }: Binary): void {
    for (const probe of channels?.splice(0) ?? []) void probe[Symbol.asyncDispose]();
  }

  /** Tells the kernel side anew about all processes that run the file. */
  function retell(binary: Binary, inspected: GoProgram): void {
    for (const tgid of binary.users) {
      const process = processes.get(tgid);
      if (process === undefined) continue;
      const channels = channelsOf(process, inspected);
      host.probes.add(tgid, inspected.layout, channels, process.roles);
    }
  }

  function need(tgid: number, need: GoNeed): void {
    const binary = processes.get(tgid)?.binary;
    if (binary === undefined || binary.probes.length === 0) return;
    const { inspected } = binary;
    if (inspected.kind !== "go") return;
    if (!binary.hasBirths) {
      binary.hasBirths = true;
      attachAll(binary, binary.probes, inspected.births, `/proc/${tgid}/exe`);
    }
    if (need === "channels" && binary.channels === null) followChannels(tgid, binary, inspected);
  }

  function followChannels(tgid: number, binary: Binary, inspected: GoProgram): void {
    binary.channels = [];
    if (inspected.channels === null) return noteGap(binary, "its channels cannot be followed");
    const path = `/proc/${tgid}/exe`;
    // With a part of the probes, work would be taken for that of a request before.
    if (!attachAll(binary, binary.channels, inspected.channels.probes, path)) {
      return dropChannels(binary);
    }
    retell(binary, inspected);
  }

  function look(nowMs: number): void {
    const passedMs = nowMs - lookedMs;
    if (passedMs < LOOK_MS) return;
    lookedMs = nowMs;
    for (const [tgid, process] of processes) {
      const { binary } = process;
      if (binary.channels === null || binary.channels.length === 0) continue;
      const uses = host.probes.channelUses(tgid);
      const each = Number(uses - process.channelUses) / passedMs * 1_000;
      process.channelUses = uses;
      if (each <= CHANNEL_USES_MAX || binary.inspected.kind !== "go") continue;
      const probes = binary.channels.splice(0);
      retell(binary, binary.inspected);
      for (const probe of probes) void probe[Symbol.asyncDispose]();
      noteGap(binary, "its channels are not followed: they are used too often");
    }
  }

  function remember(file: HostFile): Binary {
    const inspected = inspectProgram(file);
    const gaps = inspected.kind === "go" ? [...inspected.gaps] : [];
    const binary = {
      inspected,
      gaps,
      probes: [],
      users: new Set<number>(),
      first: null,
      hasBirths: false,
      channels: null,
    };
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
    attachAll(binary, binary.probes, probes, path);
    if (binary.probes.length > 0) probed++;
  }

  function attachAll(
    binary: Binary,
    into: Binary["probes"],
    probes: GoProgram["probes"],
    path: string,
  ): boolean {
    try {
      for (const [program, places] of Map.groupBy(probes, ({ program }) => program)) {
        into.push(host.probes.attach(program, path, places.map(({ at }) => at)));
      }
    } catch (error) {
      noteGap(binary, error instanceof Error ? error.message : String(error));
      return false;
    }
    return true;
  }

  return {
    meet,
    need,
    look,
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
      for (const { probes, channels } of idle.keys()) {
        for (const probe of probes.splice(0)) probe[Symbol.dispose]();
        for (const probe of channels?.splice(0) ?? []) probe[Symbol.dispose]();
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

/** Null when the process is gone. */
function shiftOf(
  { linkedAt }: GoProgram,
  tgid: number,
  files: GoHost["files"],
): bigint | null {
  if (linkedAt === null) return 0n;
  const loadedAt = loadAddress(tgid, files);
  return loadedAt === null ? null : loadedAt - BigInt(linkedAt);
}

/** As the kernel side is told them. */
function channelsOf({ binary, shift }: Process, { channels }: GoProgram): GoChannels {
  const isFollowed = (binary.channels ?? []).length > 0;
  if (channels === null || !isFollowed) return { from: 0n, to: 0n };
  return { from: BigInt(channels.from) + shift, to: BigInt(channels.to) + shift };
}

/** Where the kernel has put a movable program: the first page of its file. */
function loadAddress(tgid: number, files: GoHost["files"]): bigint | null {
  const maps = files.text(`/proc/${tgid}/maps`);
  // Of a file, from its beginning: 55d0c0a00000-… r-xp 00000000 08:01 1234 /bin/x. Libraries come
  // later, the heap of Go may come before.
  const first = /^([0-9a-f]+)-[0-9a-f]+ \S+ 0+ \S+ [1-9]/m.exec(maps ?? "");
  return first?.[1] === undefined ? null : BigInt(`0x${first[1]}`);
}
