// SPDX-License-Identifier: Apache-2.0
// Assembled traces: trees of spans with their links, times of their own and the critical path.

import type { Span } from "../../model/span.ts";
import { ALL_RULES, type AssemblyRules } from "./assembly_rules.ts";
import { alignClocks, estimateClocks, type HostClock } from "./clocks/host_clocks.ts";
import { markCriticalPath, setSelfTimes } from "./critical_path.ts";
import { lastRevisions, type ParentLink, setParents } from "./set_parents.ts";
import { traceIdOf } from "./trace_id.ts";

export interface TraceNode {
  readonly span: Span;
  /** Null for the root. */
  readonly link: ParentLink | null;
  /** 0 for the root. */
  readonly depth: number;
  /** In order of start. */
  readonly children: readonly TraceNode[];
  /** Duration without the times in which a child runs. */
  readonly selfNs: bigint;
  /** Had it been faster, so had been the trace. */
  readonly isCritical: boolean;
}

export interface Trace {
  readonly traceId: string;
  readonly root: TraceNode;
  /** All nodes, each before its children: the order in which a waterfall shows them. */
  readonly nodes: readonly TraceNode[];
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Why spans may be missing; empty when the search found its end. */
  readonly truncated: string;
  /** Hosts whose clock differs; the times of their spans are told by the reference's clock. */
  readonly clocks: readonly HostClock[];
}

/** A node while its trace is built. */
export interface NodeInMaking extends TraceNode {
  depth: number;
  children: NodeInMaking[];
  selfNs: bigint;
  isCritical: boolean;
}

/** All traces that the spans make, in order of start. Spans may come in several revisions. */
export function buildTraces(
  spans: Iterable<Span>,
  truncated = "",
  rules: AssemblyRules = ALL_RULES,
): Trace[] {
  const revisions = lastRevisions(spans);
  const clocks = estimateClocks(revisions);
  const last = alignClocks(revisions, clocks);
  const links = setParents(last, rules);
  const nodes = new Map<Span, NodeInMaking>();
  for (const span of last) {
    const link = links.get(span) ?? null;
    nodes.set(span, { span, link, depth: 0, children: [], selfNs: 0n, isCritical: false });
  }
  const roots: NodeInMaking[] = [];
  for (const node of nodes.values()) {
    const parent = node.link === null ? undefined : nodes.get(node.link.parent);
    if (parent === undefined) roots.push(node);
    else parent.children.push(node);
  }
  for (const node of nodes.values()) if (node.children.length > 1) node.children.sort(byStart);
  return roots.sort(byStart).map((root) => buildTrace(root, truncated, clocks));
}

function buildTrace(
  root: NodeInMaking,
  truncated: string,
  clocks: readonly HostClock[],
): Trace {
  const nodes: NodeInMaking[] = [];
  let endNs = root.span.end_unix_ns;
  let startNs = root.span.start_unix_ns;
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    nodes.push(node);
    if (node.span.end_unix_ns > endNs) endNs = node.span.end_unix_ns;
    if (node.span.start_unix_ns < startNs) startNs = node.span.start_unix_ns;
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i];
      if (child === undefined) continue;
      child.depth = node.depth + 1;
      stack.push(child);
    }
  }
  setSelfTimes(nodes);
  markCriticalPath(root);
  const traceId = traceIdOf(root.span, spansOf(nodes));
  return { traceId, root, nodes, startNs, endNs, truncated, clocks: ofTrace(clocks, nodes) };
}

/** The clocks of those hosts that took part. */
function ofTrace(clocks: readonly HostClock[], nodes: readonly NodeInMaking[]): HostClock[] {
  return clocks.filter(({ host }) => nodes.some(({ span }) => span.host === host));
}

/** The span as assembled: with the link that assembly found, or none. */
export function linkedSpan({ span, link }: TraceNode): Span {
  return {
    ...span,
    parent_span_id: link?.parent.span_id ?? null,
    link_evidence: link?.evidence ?? "",
    link_confidence: link?.confidence ?? 0,
  };
}

function* spansOf(nodes: readonly TraceNode[]): Generator<Span> {
  for (const { span } of nodes) yield span;
}

function byStart(a: TraceNode, b: TraceNode): number {
  const { start_unix_ns: startA, span_id: idA } = a.span;
  const { start_unix_ns: startB, span_id: idB } = b.span;
  if (startA !== startB) return startA < startB ? -1 : 1;
  return idA < idB ? -1 : idA > idB ? 1 : 0;
}
