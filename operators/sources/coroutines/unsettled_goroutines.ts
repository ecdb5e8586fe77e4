// SPDX-License-Identifier: Apache-2.0
// Finds the Go programs of which reading memory does not tell enough, so that it is worth the price
// to stop them more often. In some, goroutines make calls that neither have read a request nor
// descend from one that has, or do, but go on when that one has read another: workers, to which
// requests are given through channels. In others they go on when the request is answered.

import type { CaptureRecord, CoroutineBirth } from "../../../model/capture_record.ts";

import type { Nanos } from "../../../model/time.ts";

/**
 * What is to be told of a program: when goroutines were started, and by whom, without which it is
 * not known for which of several requests; or that and what goes through channels.
 */
export type GoNeed = "births" | "channels";

/** So many calls of a program, while it serves requests, settle what it needs. */
const CALLS_FROM = 3;
const GOROUTINES_MAX = 8_192;
const PROGRAMS_MAX = 256;

interface Goroutines {
  /** Those that read requests. */
  readonly readers: Map<bigint, Reader>;
  /** Who started each, who started that one …; itself first. */
  readonly lines: Map<bigint, readonly CoroutineBirth[]>;
  /** Calls for which this was needed. */
  readonly calls: Record<GoNeed, number>;
}

interface Reader {
  /** When it last read something of a request, and whether it has begun to answer since. */
  readonly readNs: Nanos;
  readonly hasAnswered: boolean;
}

export interface UnsettledGoroutines {
  readonly take: (record: CaptureRecord) => void;
}

/** `found` is called once for each need of a process. */
export function unsettledGoroutines(
  found: (tgid: number, need: GoNeed) => void,
): UnsettledGoroutines {
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
          readers.set(self.coroutine, { readNs: record.emitNs, hasAnswered: false });
        }
        return;
      }
      const { connection: { role }, direction, coroutine } = record;
      if (role === "server") {
        const before = readers.get(coroutine)?.readNs;
        if (direction === "ingress") {
          readers.set(coroutine, { readNs: record.emitNs, hasAnswered: false });
        } else if (before !== undefined) {
          readers.set(coroutine, { readNs: before, hasAnswered: true });
        }
      }
      if (role !== "client" || direction !== "egress" || readers.size === 0) return;
      const need = needOf(coroutine, program);
      if (need === null || ++program.calls[need] !== CALLS_FROM) return;
      if (need === "channels") programs.set(tgid, "found");
      found(tgid, need);
    },
  };
}

/** Nothing if it reads requests, or was started by one that does and works on that still. */
function needOf(coroutine: bigint, { readers, lines }: Goroutines): GoNeed | null {
  if (readers.has(coroutine)) return null;
  const line = lines.get(coroutine) ?? [];
  const at = line.findIndex((each) => readers.has(each.coroutine));
  const reader = readers.get(line[at]?.coroutine ?? 0n);
  const bornNs = line[at - 1]?.bornNs;
  if (reader === undefined || bornNs === undefined || reader.readNs > bornNs) return "channels";
  return reader.hasAnswered ? "births" : null;
}

function begin(programs: Map<number, Goroutines | "found">, tgid: number): Goroutines {
  if (programs.size >= PROGRAMS_MAX) programs.clear();
  const calls = { births: 0, channels: 0 };
  const program = { readers: new Map<bigint, Reader>(), lines: new Map(), calls };
  programs.set(tgid, program);
  return program;
}

/** Forgotten all at once: what is then taken for unsettled costs a look at channels. */
function remember({ lines, readers }: Goroutines, line: readonly CoroutineBirth[]): void {
  if (lines.size >= GOROUTINES_MAX) lines.clear();
  if (readers.size >= GOROUTINES_MAX) readers.clear();
  if (line[0] !== undefined) lines.set(line[0].coroutine, line);
}
