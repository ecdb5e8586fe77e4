// SPDX-License-Identifier: Apache-2.0
// Coroutines as contexts: a coroutine is like a thread, and one that was started while a request
// was worked on does the work of whoever held that request, until it is answered.
//
// Later the coroutine is on its own: a connection's keeper that one request happened to start does
// nothing for the next request of the same handler.

import type { CoroutineBirth } from "../../model/capture_record.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageSeen } from "../../model/message.ts";
import type { ProgramState, Thread, Work } from "./program.ts";

export interface Coroutines {
  /** Who started a coroutine: itself, who started it, who started that one … */
  readonly lines: Map<bigint, readonly CoroutineBirth[]>;
  /** The work that a coroutine was started for, and the coroutine that held it. */
  readonly heirs: Map<bigint, Heir | null>;
}

interface Heir {
  readonly work: Work;
  readonly holder: bigint;
}

export function startCoroutines(): Coroutines {
  return { lines: new Map(), heirs: new Map() };
}

export function noteLine(line: readonly CoroutineBirth[], { coroutines }: ProgramState): void {
  const [self] = line;
  if (self !== undefined && line.length > 1) remember(coroutines.lines, self.coroutine, line);
}

/** What does one thing after the other: the thread, or the coroutine, or the one it works for. */
export function contextOf(
  { tid, coroutine }: Pick<MessageSeen, "tid" | "coroutine">,
  program: ProgramState,
): number | bigint {
  if (coroutine === 0n) return tid;
  if (program.threads.get(coroutine)?.readsRequests) return coroutine;
  const heir = heirOf(coroutine, program);
  return heir !== null && heir.work.endNs === Infinity ? heir.holder : coroutine;
}

function heirOf(coroutine: bigint, program: ProgramState): Heir | null {
  const { heirs, lines } = program.coroutines;
  const known = heirs.get(coroutine);
  if (known !== undefined) return known;
  const line = lines.get(coroutine);
  if (line === undefined) return null;
  const heir = inherited(line, program);
  remember(heirs, coroutine, heir);
  return heir;
}

/** The nearest ancestor that reads requests, and what it held when the line began that left it. */
function inherited(line: readonly CoroutineBirth[], program: ProgramState): Heir | null {
  for (let i = 1; i < line.length; i++) {
    const holder = line[i]?.coroutine ?? 0n;
    const thread = program.threads.get(holder);
    if (!thread?.readsRequests) continue;
    const work = heldAt(thread, Number(line[i - 1]?.bornNs ?? 0n));
    return work === null ? null : { work, holder };
  }
  return null;
}

/** Of what a thread has read and not answered, what was there by then; with 0 whatever it is. */
function heldAt({ open }: Thread, atNs: number): Work | null {
  const isThere = ({ readNs }: Work) => atNs === 0 || readNs <= atNs;
  return open.findLast(isThere) ?? null;
}

/** Bounded: what was told first is forgotten first. */
function remember<V>(map: Map<bigint, V>, coroutine: bigint, value: V): void {
  map.delete(coroutine);
  if (map.size >= LIMITS.linkThreads.value) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(coroutine, value);
}
