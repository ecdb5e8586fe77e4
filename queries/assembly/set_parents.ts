// SPDX-License-Identifier: Apache-2.0
// Gives every span at most one parent by the ranked rules. The result is a forest for any input,
// and does not depend on the order in which spans come.

import { type Evidence } from "../../model/link.ts";
import { type Key, PARENT_RULES, type ParentRule, timeMarginNs } from "../../model/parent_rules.ts";
import type { Span } from "../../model/span.ts";
import { ALL_RULES, type AssemblyRules } from "./assembly_rules.ts";

/** A link as assembly draws it. */
export interface ParentLink {
  readonly parent: Span;
  readonly rule: string;
  readonly evidence: Evidence;
  readonly confidence: number;
}

interface Edge extends ParentLink {
  readonly child: Span;
  readonly rank: number;
}

export function setParents(
  spans: readonly Span[],
  { threshold, without }: AssemblyRules = ALL_RULES,
): Map<Span, ParentLink> {
  const all: Edge[] = [];
  for (const [rank, rule] of PARENT_RULES.entries()) {
    if (!without.has(rule.name)) edgesOf(rule, rank, spans, all);
  }
  const edges = all.filter(({ confidence }) => confidence >= threshold);
  edges.sort(byTrust);
  return withoutCycles(edges);
}

/** One span per id: the last revision; of two equal ones the larger in every column decides. */
export function lastRevisions(spans: Iterable<Span>): Span[] {
  const last = new Map<bigint, Span>();
  for (const span of spans) {
    const known = last.get(span.span_id);
    if (known === undefined || isLater(span, known)) last.set(span.span_id, span);
  }
  return [...last.values()];
}

function isLater(a: Span, b: Span): boolean {
  if (a.revision !== b.revision) return a.revision > b.revision;
  return (a.parent_span_id ?? 0n) > (b.parent_span_id ?? 0n);
}

/** Candidates of one child by one rule, at most; those that start nearest before its end. */
const candidatesMax = 64;

function edgesOf(rule: ParentRule, rank: number, spans: readonly Span[], edges: Edge[]): void {
  const children: { span: Span; key: Key }[] = [];
  for (const span of spans) {
    const key = rule.childKey(span);
    if (key !== null) children.push({ span, key });
  }
  if (children.length === 0) return;
  const parents = new Map<Key, Span[]>();
  for (const span of spans) {
    const key = rule.parentKey(span);
    if (key === null) continue;
    const list = parents.get(key);
    if (list === undefined) parents.set(key, [span]);
    else list.push(span);
  }
  for (const list of parents.values()) if (list.length > 1) list.sort(byStart);
  for (const { span, key } of children) {
    const list = parents.get(key);
    if (list === undefined) continue;
    const edge = bestParent(rule, rank, span, list);
    if (edge !== null) edges.push(edge);
  }
}

/** Of the parents in order of start, the last that fits best; shared confidence where `only`. */
export function bestParent(
  rule: ParentRule,
  rank: number,
  child: Span,
  parents: readonly Span[],
): Edge | null {
  let best: Span | null = null;
  let confidence = 0;
  let equal = 0;
  let left = candidatesMax;
  for (let i = lastStartingBy(parents, child.end_unix_ns + timeMarginNs); i >= 0; i--) {
    if (left-- === 0) break;
    const parent = parents[i];
    if (parent === undefined || parent.span_id === child.span_id) continue;
    const fit = rule.fits(child, parent);
    if (fit === 0) continue;
    if (fit > confidence) {
      best = parent;
      confidence = fit;
      equal = 1;
    } else if (fit === confidence) equal++;
  }
  if (best === null) return null;
  const evidence = rule.name === "linked" ? child.link_evidence || "nesting" : rule.evidence;
  return {
    child,
    parent: best,
    rule: rule.name,
    evidence,
    confidence: rule.of === "only" ? confidence / equal : confidence,
    rank,
  };
}

/** Index of the last span that starts at or before a time; all of a short list. */
function lastStartingBy(spans: readonly Span[], endNs: bigint): number {
  if (spans.length <= candidatesMax) return spans.length - 1;
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const span = spans[middle];
    if (span !== undefined && span.start_unix_ns <= endNs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function byStart(a: Span, b: Span): number {
  if (a.start_unix_ns !== b.start_unix_ns) return a.start_unix_ns < b.start_unix_ns ? -1 : 1;
  return a.span_id < b.span_id ? -1 : a.span_id > b.span_id ? 1 : 0;
}

function byTrust(a: Edge, b: Edge): number {
  return a.rank - b.rank || b.confidence - a.confidence || byStart(a.child, b.child);
}

/** Takes edges in order of trust and leaves out those that would close a circle. */
function withoutCycles(edges: readonly Edge[]): Map<Span, ParentLink> {
  const links = new Map<Span, ParentLink>();
  const above = new Map<Span, Span>();
  const rootOf = (span: Span): Span => {
    let root = span;
    for (let up = above.get(root); up !== undefined; up = above.get(root)) root = up;
    for (let at = span; at !== root;) {
      const up = above.get(at) ?? root;
      above.set(at, root);
      at = up;
    }
    return root;
  };
  for (const { child, parent, rule, evidence, confidence } of edges) {
    if (links.has(child) || rootOf(parent) === child) continue;
    links.set(child, { parent, rule, evidence, confidence });
    above.set(child, rootOf(parent));
  }
  return links;
}
