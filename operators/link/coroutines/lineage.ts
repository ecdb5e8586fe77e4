// SPDX-License-Identifier: Apache-2.0
// Coroutines as contexts: a coroutine is like a thread, and one that was started while a request
// was worked on does the work of whoever held that request, after it is answered as well. So does
// one that was given something by whoever held it.
//
// Not for ever: a connection's keeper that one request happened to start does nothing for that
// request once it is answered. It shows by sending what others read the answers to.

import { type CoroutineBirth, isContext } from "../../../model/capture_record.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { MessageSeen } from "../../../model/message.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { workOfContext } from "./contexts.ts";
import { heldAt, inHand } from "./in_hand.ts";

export interface Coroutines {
  /** Who started a coroutine: itself, who started it, who started that one … */
  readonly lines: Map<bigint, readonly CoroutineBirth[]>;
  /** The work that a coroutine was started for, and the coroutine that held it. */
  readonly heirs: Map<bigint, Heir | null>;
  /** What a coroutine was given last, as a line that begins with when; and whose that is. */
  readonly given: Map<bigint, Given>;
}

interface Given {
  readonly line: readonly CoroutineBirth[];
  /** It came to the outermost function of the coroutine, as work comes to workers. */
  readonly isLooping: boolean;
  /** Undefined: not looked for yet. */
  heir: Heir | null | undefined;
}

interface Heir {
  readonly work: Work;
  readonly holder: bigint;
  /** Calls whose response another coroutine has read. */
  readElsewhere: number;
}

export function startCoroutines(): Coroutines {
  return { lines: new Map(), heirs: new Map(), given: new Map() };
}

export function noteLine(line: readonly CoroutineBirth[], { coroutines }: ProgramState): void {
  const [self] = line;
  if (self !== undefined && line.length > 1) remember(coroutines.lines, self.coroutine, line);
}

export function noteGiven(
  line: readonly CoroutineBirth[],
  isLooping: boolean,
  { coroutines }: ProgramState,
): void {
  const [self] = line;
  if (self === undefined) return;
  remember(coroutines.given, self.coroutine, { line, isLooping, heir: undefined });
}

/** What does one thing after the other: the thread, or the coroutine, or the one it works for. */
export function contextOf(
  { tid, coroutine }: Pick<MessageSeen, "tid" | "coroutine">,
  program: ProgramState,
): number | bigint {
  if (coroutine === 0n || isContext(coroutine)) return tid;
  if (program.threads.get(coroutine)?.readsRequests) return coroutine;
  const heir = heirOf(coroutine, program);
  return heir !== null && heir.work.endNs === Infinity ? heir.holder : coroutine;
}

/** The work that a coroutine does at a time: its own, or that of the one it was started for. */
export function workOf(coroutine: bigint, atNs: number, program: ProgramState): Work | null {
  if (coroutine === 0n) return null;
  if (isContext(coroutine)) return workOfContext(coroutine, atNs, program.contexts);
  const thread = program.threads.get(coroutine);
  const heir = thread?.readsRequests ? null : heirOf(coroutine, program);
  const work = thread?.readsRequests ? inHand(thread, atNs) : heir?.work ?? null;
  if (work === null || work.endNs === Infinity) return work;
  const isKeeper = heir !== null && heir.readElsewhere >= keeperFrom;
  return isKeeper || atNs > work.endNs + afterNs ? null : work;
}

/** So many calls whose responses others read are not sent for one request that was answered. */
const keeperFrom = 2;

const afterNs = LIMITS.linkAfterMs.value * 1e6;

/** The response to a call was read. */
export function noteReader(call: Call, reader: bigint, { coroutines }: ProgramState): void {
  const sender = call.exchange.request?.coroutine ?? 0n;
  if (sender === 0n || reader === 0n || sender === reader) return;
  const heir = coroutines.given.get(sender)?.heir ?? coroutines.heirs.get(sender);
  if (heir) heir.readElsewhere++;
}

/**
 * What it was given counts. But one that was started for a request may have fetched something for
 * that, which another request has left; a worker that a request has started is told by its loop,
 * once that request is over.
 */
function heirOf(coroutine: bigint, program: ProgramState): Heir | null {
  const born = bornHeir(coroutine, program);
  const given = program.coroutines.given.get(coroutine);
  if (given === undefined || (born !== null && !given.isLooping)) return born;
  if (given.heir === undefined) given.heir = givenHeir(given.line, program);
  if (born === null || born.work.endNs !== Infinity) return given.heir;
  return given.heir === null || given.heir.work === born.work ? born : null;
}

/** Of several requests that were read in one go it is not known which one was given. */
function givenHeir(line: readonly CoroutineBirth[], program: ProgramState): Heir | null {
  const heir = inherited(line, program);
  return heir === null || heir.work.readWithOthers ? null : heir;
}

function bornHeir(coroutine: bigint, program: ProgramState): Heir | null {
  const { heirs, lines } = program.coroutines;
  const known = heirs.get(coroutine);
  if (known !== undefined) return known;
  const line = lines.get(coroutine);
  if (line === undefined) return null;
  const heir = inherited(line, program);
  remember(heirs, coroutine, heir);
  lines.delete(coroutine);
  return heir;
}

/** The nearest ancestor that reads requests, and what it held when the line began that left it. */
function inherited(line: readonly CoroutineBirth[], program: ProgramState): Heir | null {
  for (let i = 1; i < line.length; i++) {
    const holder = line[i]?.coroutine ?? 0n;
    const thread = program.threads.get(holder);
    if (!thread?.readsRequests) continue;
    const work = heldAt(thread, Number(line[i - 1]?.bornNs ?? 0n));
    return work === null ? null : { work, holder, readElsewhere: 0 };
  }
  return null;
}

/** Bounded: what was told first is forgotten first. */
function remember<V>(map: Map<bigint, V>, coroutine: bigint, value: V): void {
  map.delete(coroutine);
  if (map.size >= LIMITS.linkCoroutines.value) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(coroutine, value);
}
