// SPDX-License-Identifier: Apache-2.0
// The explanations of a stored trace, from the id of the trace or of one of its spans.

import type { Candidate } from "../../model/link.ts";
import type { Span } from "../../model/span.ts";
import { ALL_RULES, type AssemblyRules } from "../../queries/assembly/assembly_rules.ts";
import { assembleTrace } from "../../queries/assembly/assemble_trace.ts";
import { alignedQuery, readStoredClocks } from "../../queries/assembly/clocks/stored_clocks.ts";
import type { HostClock } from "../../queries/assembly/clocks/host_clocks.ts";
import { findSpanId } from "../../queries/assembly/find_trace.ts";
import { reweigh } from "../../queries/assembly/reassembly/reweigh.ts";
import {
  candidatesOf,
  relinkedQuery,
} from "../../queries/assembly/reassembly/stored_candidates.ts";
import { noKeys } from "../../queries/assembly/span_query.ts";
import { storeQuery } from "../../queries/assembly/store_query.ts";
import type { Trace, TraceNode } from "../../queries/assembly/trace.ts";
import type { Store } from "../../queries/store/store.ts";
import { Refusal } from "../cli/context.ts";
import { explain, type Explanation } from "./explanation.ts";

export interface ExplainedTrace {
  readonly trace: Trace;
  /** The span from which the search began. */
  readonly spanId: bigint;
  readonly explanationOf: (node: TraceNode) => Explanation;
}

/** Possible parents that are looked up by name. */
const NAMED_MAX = 2_000;
const always = { fromNs: -(1n << 62n), toNs: 1n << 62n };

/** Throws a Refusal if the store has no such trace or span. */
export async function explainStored(
  store: Pick<Store, "query" | "path">,
  id: string,
  rules: AssemblyRules = ALL_RULES,
): Promise<ExplainedTrace> {
  const spanId = await findSpanId(store, id);
  if (spanId === null) {
    const kind = id.length === 32 ? "trace" : "span";
    throw new Refusal(`Cannot explain ${id}: there is no such ${kind} in ${store.path}`);
  }
  const clocks = await readStoredClocks(store);
  const query = relinkedQuery(alignedQuery(storeQuery(store), clocks), store, rules);
  const trace = await assembleTrace(query, spanId, always, rules);
  if (trace === null) throw new Refusal(`Cannot explain ${id}: its spans are not stored any more`);
  const explanations = await explainAll(store, trace, rules.without);
  const explanationOf = ({ span }: TraceNode) => {
    const found = explanations.get(span);
    if (found === undefined) throw new Error("Cannot explain a span that is not of the trace");
    return found;
  };
  return { trace: withClocks(trace, clocks), spanId, explanationOf };
}

/** What it was read by is told, though its spans agree by now. */
function withClocks(trace: Trace, clocks: readonly HostClock[]): Trace {
  const hosts = new Set(trace.nodes.map(({ span }) => span.host));
  const told = clocks.filter(({ host }) => hosts.has(host));
  return { ...trace, clocks: [...told, ...trace.clocks] };
}

async function explainAll(
  store: Pick<Store, "query">,
  trace: Trace,
  without: ReadonlySet<string>,
): Promise<Map<Span, Explanation>> {
  const stored = await candidatesOf(store, trace.nodes.map(({ span }) => span.span_id));
  const weighed = new Map<bigint, readonly Candidate[]>();
  for (const [id, candidates] of stored) weighed.set(id, reweigh(candidates, without));
  const spans = new Map(trace.nodes.map(({ span }) => [span.span_id, span]));
  const missing = [...weighed.values()].flat().map(({ parent_id }) => parent_id)
    .filter((id) => !spans.has(id)).slice(0, NAMED_MAX);
  if (missing.length > 0) {
    const keys = { ...noKeys(), span_id: [...new Set(missing)] };
    for (const span of await storeQuery(store).related(keys, always, NAMED_MAX)) {
      spans.set(span.span_id, span);
    }
  }
  return new Map(trace.nodes.map((node) => [
    node.span,
    explain(node, weighed.get(node.span.span_id) ?? [], (id) => spans.get(id) ?? null),
  ]));
}
