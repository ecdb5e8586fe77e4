// SPDX-License-Identifier: Apache-2.0
// Finds the Go programs in which goroutines make calls that neither have read a request nor descend
// from one that has, or do, but go on when that one has read another: workers, to which requests are
// given through channels. Only there it is worth the price to follow what goes through channels.

import type { CaptureRecord, CoroutineBirth } from "../../../model/capture_record.ts";

import type { Nanos } from "../../../model/time.ts";

/** So many calls of a program, while it serves requests, settle that it has workers. */
const CALLS_FROM = 8;
const GOROUTINES_MAX = 8_192;
const PROGRAMS_MAX = 256;

interface Goroutines {
  /** Those that read requests, and when they last did. */
  readonly readers: Map<bigint, Nanos>;
  /** Who started each, who started that one …; itself first. */
  readonly lines: Map<bigint, readonly CoroutineBirth[]>;
  calls: number;
}

export interface UnsettledGoroutines {
  readonly take: (record: CaptureRecord) => void;
}

/** `found` is called once for each process that has such goroutines. */
export function unsettledGoroutines(found: (tgid: number) => void): UnsettledGoroutines {
  const programs = new Map<number, Goroutines | "found">();
  return {
    take(record) {
      if (record.kind === "process") {
        if (record.what !== "fork") programs.delete(record.program.tgid);
        return;
      }
      if (record.kind !== "coroutine" && (record.kind !== "data" || record.coroutine === 0n)) {
        return;
      }
      const { tgid } = record.program;
      const known = programs.get(tgid);
      if (known === "found") return;
      const program = known ?? begin(programs, tgid);
      const { readers } = program;
      if (record.kind === "coroutine") {
        const [self] = record.line;
        if (record.task === undefined) remember(program, record.line);
        // Who works on a stream has been given its request by whoever reads for the connection.
        else if (record.task.what === "handles" && self !== undefined) {
          readers.set(self.coroutine, record.emitNs);
        }
        return;
      }
      const { connection: { role }, direction, coroutine } = record;
      if (role === "server" && direction === "ingress") readers.set(coroutine, record.emitNs);
      if (role !== "client" || direction !== "egress" || readers.size === 0) return;
      if (isSettled(coroutine, program) || ++program.calls < CALLS_FROM) return;
      programs.set(tgid, "found");
      found(tgid);
    },
  };
}

/** It reads requests, or works for one that does, and that has read no other request since. */
function isSettled(coroutine: bigint, { readers, lines }: Goroutines): boolean {
  if (readers.has(coroutine)) return true;
  const line = lines.get(coroutine) ?? [];
  const at = line.findIndex((each) => readers.has(each.coroutine));
  const readNs = readers.get(line[at]?.coroutine ?? 0n);
  const bornNs = line[at - 1]?.bornNs;
  return readNs !== undefined && bornNs !== undefined && readNs <= bornNs;
}

function begin(programs: Map<number, Goroutines | "found">, tgid: number): Goroutines {
  if (programs.size >= PROGRAMS_MAX) programs.clear();
  const program = { readers: new Map<bigint, Nanos>(), lines: new Map(), calls: 0 };
  programs.set(tgid, program);
  return program;
}

/** Forgotten all at once: what is then taken for unsettled costs a look at channels. */
function remember({ lines, readers }: Goroutines, line: readonly CoroutineBirth[]): void {
  if (lines.size >= GOROUTINES_MAX) lines.clear();
  if (readers.size >= GOROUTINES_MAX) readers.clear();
  if (line[0] !== undefined) lines.set(line[0].coroutine, line);
}
