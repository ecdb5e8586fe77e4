// SPDX-License-Identifier: Apache-2.0
// The traces of the last moments, grown span by span from the links that the stream carries.
//
// Spans come children first and are revised when a link is found late, so a trace is a tree of
// what is known now. Bounded: beyond `spansMax` the trace that began longest ago is forgotten,
// unless it is among the slowest, which are kept as long as slower ones do not replace them.

import { hashOfLong, HashTable } from "../../engine/hash_table.ts";
import type { Span, SpanRevision } from "../../model/span.ts";

/** One trace as of now. */
export interface RecentTrace {
  readonly root: Span;
  /** All spans, parents before children, siblings by start; `depth` is 0 at the root. */
  readonly spans: readonly { readonly span: Span; readonly depth: number }[];
}

/** What lists show of a trace without walking it. */
export interface TraceHead {
  readonly root: Span;
  readonly spans: number;
  readonly errors: number;
}

export interface RecentTracesOptions {
  readonly spansMax?: number;
  readonly slowestMax?: number;
  /** Told of each trace that is forgotten before it settled. */
  readonly onForget?: (trace: RecentTrace) => void;
}

interface Node {
  span: Span;
  parent: Node | null;
  children: Node[];
  /** The parent's id while it has not come. */
  awaits: bigint | null;
  /** On roots: spans and errors of the whole tree, when it changed last, if it was settled. */
  spans: number;
  errors: number;
  changedNs: bigint;
  isSettled: boolean;
  isQueued: boolean;
  /** It is in the list of the unsettled, and belongs there. */
  isListed: boolean;
  isUnsettled: boolean;
}

export class RecentTraces {
  readonly #spansMax: number;
  readonly #slowestMax: number;
  readonly #nodes = new HashTable<bigint, Node>(hashOfLong);
  /**
   * In the order of first arrival, from `#first` on; those with `isQueued` false have left it.
   * An array, because the first element of a set gets slow to find once many have been deleted.
   */
  #queue: Node[] = [];
  #first = 0;
  #queued = 0;
  /** Children whose parent has not come yet, by the parent's id. */
  readonly #orphans = new HashTable<bigint, Node[]>(hashOfLong);
  /** Roots as they became unsettled, and some that no longer are: a set would churn. */
  #unsettled: Node[] = [];
  #settledInList = 0;
  /** Candidates for the slowest: trimmed now and then. */
  #slowest = new Set<Node>();
  readonly #onForget: (trace: RecentTrace) => void;
  #forgotten = 0;

  constructor(
    { spansMax = 20_000, slowestMax = 50, onForget = () => {} }: RecentTracesOptions = {},
  ) {
    this.#spansMax = spansMax;
    this.#slowestMax = slowestMax;
    this.#onForget = onForget;
  }

  /** Spans held now. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Spans given up because too many were held. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Takes a span or a later revision of one; `nowNs` is any clock that `settled` uses, too. */
  add({ span }: SpanRevision, nowNs: bigint): void {
    const known = this.#nodes.get(span.span_id);
    if (known !== undefined && known.span.revision > span.revision) return;
    const node = known ?? newNode(span);
    if (known === undefined) {
      this.#nodes.set(span.span_id, node);
      this.#queue.push(node);
      this.#queued++;
      this.#adopt(node);
    } else {
      const change = errorOf(span) - errorOf(known.span);
      rootOf(node).errors += change;
      node.span = span;
    }
    this.#attach(node);
    this.#touch(rootOf(node), nowNs);
    if (known === undefined && this.#queued > this.#spansMax) this.#forgetOldest();
  }

  /**
   * Traces that have not changed since `beforeNs` and were not returned by an earlier call. A trace
   * whose root waits for a parent that is announced but not seen is held back to `orphansNs`.
   */
  settled(beforeNs: bigint, orphansNs: bigint = beforeNs): RecentTrace[] {
    const done: RecentTrace[] = [];
    for (const root of this.#unsettled) {
      const limit = root.span.parent_span_id === null ? beforeNs : orphansNs;
      if (!root.isUnsettled || root.changedNs > limit || root.span.shape === "open") continue;
      this.#settle(root);
      root.isSettled = true;
      done.push(traceOf(root));
    }
    this.#tidyUnsettled();
    return done;
  }

  /** All traces that were not returned by `settled`. */
  unsettled(): RecentTrace[] {
    return this.#unsettled.filter((root) => root.isUnsettled).map(traceOf);
  }

  /** The trace that a span belongs to. */
  get(spanId: bigint): RecentTrace | null {
    const node = this.#nodes.get(spanId);
    return node === undefined ? null : traceOf(rootOf(node));
  }

  /** Up to `count` traces that pass, the one that came last first. */
  newest(count: number, passes: (head: TraceHead) => boolean): TraceHead[] {
    const heads: TraceHead[] = [];
    for (let i = this.#queue.length - 1; i >= this.#first && heads.length < count; i--) {
      const node = this.#queue[i];
      if (node?.parent !== null || !node.isQueued) continue;
      const head = headOf(node);
      if (passes(head)) heads.push(head);
    }
    return heads;
  }

  /** Up to `count` traces that pass, the slowest first. */
  slowest(count: number, passes: (head: TraceHead) => boolean): TraceHead[] {
    this.#trimSlowest();
    return [...this.#slowest].map(headOf).filter(passes).slice(0, count);
  }

  #attach(node: Node): void {
    const parentId = node.span.parent_span_id;
    if (parentId === (node.parent?.span.span_id ?? null)) return;
    if (parentId === node.awaits && parentId !== null) return;
    this.#stopWaiting(node);
    if (node.parent !== null) this.#detach(node);
    if (parentId === null) return;
    const parent = this.#nodes.get(parentId);
    if (parent === undefined) {
      node.awaits = parentId;
      const waiting = this.#orphans.get(parentId);
      if (waiting === undefined) this.#orphans.set(parentId, [node]);
      else waiting.push(node);
    } else if (rootOf(parent) !== node) this.#join(node, parent);
  }

  /** Takes the children that came before their parent. */
  #adopt(node: Node): void {
    const waiting = this.#orphans.get(node.span.span_id) ?? [];
    this.#orphans.delete(node.span.span_id);
    for (const child of waiting) {
      child.awaits = null;
      if (child !== rootOf(node)) this.#join(child, node);
    }
  }

  #stopWaiting(node: Node): void {
    if (node.awaits === null) return;
    const waiting = this.#orphans.get(node.awaits)?.filter((other) => other !== node) ?? [];
    if (waiting.length === 0) this.#orphans.delete(node.awaits);
    else this.#orphans.set(node.awaits, waiting);
    node.awaits = null;
  }

  #join(child: Node, parent: Node): void {
    child.parent = parent;
    parent.children.push(child);
    const root = rootOf(parent);
    root.spans += child.spans;
    root.errors += child.errors;
    this.#settle(child);
    this.#slowest.delete(child);
    if (child.changedNs > root.changedNs) root.changedNs = child.changedNs;
  }

  #detach(node: Node): void {
    const parent = node.parent;
    if (parent === null) return;
    parent.children = parent.children.filter((child) => child !== node);
    node.parent = null;
    const [spans, errors] = totals(node);
    const root = rootOf(parent);
    root.spans -= spans;
    root.errors -= errors;
    node.spans = spans;
    node.errors = errors;
  }

  #touch(root: Node, nowNs: bigint): void {
    root.changedNs = nowNs;
    if (!root.isSettled && !root.isUnsettled) this.#unsettle(root);
    this.#slowest.add(root);
    if (this.#slowest.size > 4 * this.#slowestMax) this.#trimSlowest();
  }

  #unsettle(root: Node): void {
    root.isUnsettled = true;
    if (root.isListed) this.#settledInList--;
    else this.#unsettled.push(root);
    root.isListed = true;
  }

  #settle(node: Node): void {
    if (!node.isUnsettled) return;
    node.isUnsettled = false;
    if (++this.#settledInList > 1_000 + this.#unsettled.length / 2) this.#tidyUnsettled();
  }

  #tidyUnsettled(): void {
    if (this.#settledInList === 0) return;
    for (const node of this.#unsettled) node.isListed = node.isUnsettled;
    this.#unsettled = this.#unsettled.filter((node) => node.isUnsettled);
    this.#settledInList = 0;
  }

  #trimSlowest(): void {
    const roots = [...this.#slowest]
      .filter((node) => node.parent === null && this.#nodes.get(node.span.span_id) === node)
      .sort((a, b) => durationOf(b.span) - durationOf(a.span));
    this.#slowest = new Set(roots.slice(0, this.#slowestMax));
    for (const root of roots.slice(this.#slowestMax)) {
      if (!root.isQueued) this.#forget(root);
    }
  }

  #forgetOldest(): void {
    let node = this.#queue[this.#first];
    while (node !== undefined && !node.isQueued) node = this.#queue[++this.#first];
    if (this.#first > this.#spansMax) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    if (node === undefined) return;
    const root = rootOf(node);
    if (this.#slowest.has(root)) return this.#keepOutOfQueue(root);
    if (root.isUnsettled) this.#onForget(traceOf(root));
    this.#forget(root);
  }

  #leaveQueue(node: Node): void {
    if (node.isQueued) this.#queued--;
    node.isQueued = false;
  }

  #keepOutOfQueue(node: Node): void {
    this.#leaveQueue(node);
    for (const child of node.children) this.#keepOutOfQueue(child);
  }

  #forget(node: Node): void {
    for (const child of node.children) this.#forget(child);
    this.#nodes.delete(node.span.span_id);
    this.#leaveQueue(node);
    this.#settle(node);
    this.#forgotten++;
    this.#stopWaiting(node);
  }
}

function newNode(span: Span): Node {
  const errors = errorOf(span);
  return {
    span,
    parent: null,
    children: [],
    awaits: null,
    spans: 1,
    errors,
    changedNs: 0n,
    isSettled: false,
    isQueued: true,
    isListed: false,
    isUnsettled: false,
  };
}

function rootOf(node: Node): Node {
  let root = node;
  while (root.parent !== null) root = root.parent;
  return root;
}

function totals(node: Node): [spans: number, errors: number] {
  let [spans, errors] = [1, errorOf(node.span)];
  for (const child of node.children) {
    const [childSpans, childErrors] = totals(child);
    spans += childSpans;
    errors += childErrors;
  }
  return [spans, errors];
}

function headOf({ span, spans, errors }: Node): TraceHead {
  return { root: span, spans, errors };
}

function traceOf(root: Node): RecentTrace {
  const spans: { span: Span; depth: number }[] = [];
  const visit = (node: Node, depth: number) => {
    spans.push({ span: node.span, depth });
    node.children.sort((a, b) => Number(a.span.start_unix_ns - b.span.start_unix_ns));
    for (const child of node.children) visit(child, depth + 1);
  };
  visit(root, 0);
  return { root: root.span, spans };
}

export function durationOf(span: Span): number {
  return Number(span.end_unix_ns - span.start_unix_ns);
}

/** 1 for a span whose status says that it went wrong. */
export function errorOf(span: Span): 0 | 1 {
  return span.status === "ok" || span.status === "unknown" ? 0 : 1;
}
