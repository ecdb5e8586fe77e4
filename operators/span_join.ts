// SPDX-License-Identifier: Apache-2.0
// Joins the ends of one hop while spans stream by: client process, network, server process.
//
// Spans go out at once. When another end of the hop comes later, the child goes out again with the
// same span_id and the next revision. Ends meet in either order within a window of event time; what
// comes later still is joined by queries, by the same rules.

import { hashOfLong, hashOfNumber, hashOfText, HashTable } from "../engine/hash_table.ts";
import type { Operator, Outputs, Stage } from "../engine/operator.ts";
import { LIMITS } from "../model/limits.ts";
import type { Candidate } from "../model/link.ts";
import { CANDIDATES_MAX } from "../model/link.ts";
import { HOP_RULES, hopKey, type Key } from "../model/parent_rules.ts";
import type { Span, SpanRevision } from "../model/span.ts";
import { MILLISECOND, type Nanos } from "../model/time.ts";
import { withVote } from "../model/links/votes.ts";

export interface SpanJoinParams {
  /** Network spans take part, which may stand between the processes at the ends of a hop. */
  readonly network: boolean;
}

export const spanJoin: Operator<SpanRevision, SpanRevision, SpanJoinParams> = {
  name: "span_join",
  limits: ["hopSpans", "hopWindowMs"],
  open: (params, out) => openSpanJoin(params.network, out),
};

/** One end of a hop, as it last went out. */
interface End {
  /** As it came, without a link of ours. */
  came: SpanRevision;
  /** Emissions of ours beyond those that came. */
  added: number;
  rank: number;
  parentId: bigint;
  confidence: number;
}

/** Ends by the key of their hop. */
interface Generation {
  readonly groups: HashTable<Key, End[]>;
  ends: number;
}

const windowNs = BigInt(LIMITS.hopWindowMs.value) * MILLISECOND;
const generationSpansMax = LIMITS.hopSpans.value / 2;
const unlinked = HOP_RULES.length;

function openSpanJoin(network: boolean, out: Outputs<SpanRevision>): Stage<SpanRevision> {
  let current = startGeneration();
  let previous = startGeneration();
  let turnedNs: Nanos = 0n;
  /** Spans still running that were linked: their last revision must not lose the link. */
  const running = new Map<bigint, End>();

  function turn(): void {
    for (const group of previous.groups.values()) {
      for (const end of group) {
        const { span } = end.came;
        if (span.shape !== "open" || end.rank === unlinked) continue;
        if (running.size < LIMITS.hopSpans.value) running.set(span.span_id, end);
      }
    }
    const emptied = previous;
    emptied.groups.clear();
    emptied.ends = 0;
    previous = current;
    current = emptied;
  }

  function push(revision: SpanRevision): void {
    const { span } = revision;
    const key = hopKey(span);
    if (key === null) {
      out.emit(revision);
      return;
    }
    if (current.ends >= generationSpansMax) turn();
    const group = groupOf(key);
    const known = endOf(span.span_id, group);
    if (known !== undefined) {
      known.came = revision;
      if (span.shape !== "open") running.delete(span.span_id);
      out.emit(outgoing(known));
      return;
    }
    const end: End = { came: revision, added: 0, rank: unlinked, parentId: 0n, confidence: 0 };
    group.push(end);
    if (group.length > groupMax) group.shift();
    else current.ends++;
    if (group.length > 1) findParent(end, group);
    out.emit(outgoing(end));
    for (const other of group) {
      if (other === end || !findParent(other, group)) continue;
      other.added++;
      out.emit(outgoing(other));
    }
    if (!network && isComplete(group)) forget(key, group);
  }

  /** Both ends are known and nothing lies between them: no more is to come of this hop. */
  function forget(key: Key, group: readonly End[]): void {
    current.groups.delete(key);
    current.ends -= group.length;
    if (running.size === 0) return;
    for (const { came } of group) running.delete(came.span.span_id);
  }

  function endOf(id: bigint, group: readonly End[]): End | undefined {
    for (const end of group) if (end.came.span.span_id === id) return end;
    return running.size > 0 ? running.get(id) : undefined;
  }

  /** The ends that have this key; those of the generation before move into this one. */
  function groupOf(key: Key): End[] {
    const group = current.groups.get(key);
    if (group !== undefined) return group;
    const older = previous.groups.get(key) ?? [];
    if (older.length > 0) {
      previous.groups.delete(key);
      previous.ends -= older.length;
      current.ends += older.length;
    }
    current.groups.set(key, older);
    return older;
  }

  return {
    push,
    advance(watermarkNs) {
      if (watermarkNs - turnedNs < windowNs) return;
      turnedNs = watermarkNs;
      turn();
    },
    end() {},
    held: () => current.ends + previous.ends + running.size,
  };
}

const startGeneration = (): Generation => ({ groups: new HashTable(hashOfKey), ends: 0 });

function hashOfKey(key: Key): number {
  if (typeof key === "number") return hashOfNumber(key);
  return typeof key === "bigint" ? hashOfLong(key) : hashOfText(key);
}

/** A client and its server, both at an end, joined without doubt. */
function isComplete(group: readonly End[]): boolean {
  const [a, b] = group;
  if (a === undefined || b === undefined || group.length > 2) return false;
  if (a.came.span.shape === "open" || b.came.span.shape === "open") return false;
  return (a.confidence === 1 && a.parentId === b.came.span.span_id) ||
    (b.confidence === 1 && b.parentId === a.came.span.span_id);
}

/** Ends that share a key, at most; beyond, the earliest is left to queries. */
const groupMax = 16;

/** Looks for the best parent in the group; true if it is another one than before. */
function findParent(end: End, group: readonly End[]): boolean {
  const child = end.came.span;
  for (let rank = 0; rank < HOP_RULES.length && rank <= end.rank; rank++) {
    const rule = HOP_RULES[rank];
    if (rule === undefined || rule.childKey(child) === null) continue;
    let best: Span | null = null;
    let confidence = 0;
    let equal = 0;
    for (const other of group) {
      const parent = other.came.span;
      if (other === end || rule.parentKey(parent) === null) continue;
      const fit = rule.fits(child, parent);
      if (fit === 0 || fit < confidence) continue;
      equal = fit > confidence ? 1 : equal + 1;
      if (fit > confidence || best === null || isLaterStart(parent, best)) best = parent;
      confidence = fit;
    }
    if (best === null) continue;
    if (rule.of === "only") confidence /= equal;
    const isSame = end.rank === rank && end.parentId === best.span_id &&
      end.confidence === confidence;
    end.rank = rank;
    end.parentId = best.span_id;
    end.confidence = confidence;
    return !isSame;
  }
  return false;
}

function isLaterStart(a: Span, b: Span): boolean {
  return a.start_unix_ns > b.start_unix_ns ||
    (a.start_unix_ns === b.start_unix_ns && a.span_id < b.span_id);
}

/** The revision as it goes out: with the hop's link, if there is one, before what came with it. */
function outgoing(end: End): SpanRevision {
  const { came, added, rank, parentId, confidence } = end;
  if (rank === unlinked) return came;
  const hop: Candidate = {
    span_id: came.span.span_id,
    parent_id: parentId,
    evidence: "hop",
    score: confidence,
    rank: 0,
    votes: withVote("", HOP_RULES[rank]?.name ?? "", confidence),
    among: 1,
  };
  const candidates = [hop];
  for (const each of came.candidates) {
    if (candidates.length === CANDIDATES_MAX) break;
    if (each.parent_id !== parentId) candidates.push({ ...each, rank: candidates.length });
  }
  const span: Span = {
    ...came.span,
    parent_span_id: parentId,
    link_evidence: "hop",
    link_confidence: confidence,
    revision: came.span.revision + added,
  };
  return { span, candidates };
}
