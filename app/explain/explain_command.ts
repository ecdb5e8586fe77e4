// SPDX-License-Identifier: Apache-2.0
// `explain`: why each span of a stored trace hangs where it hangs.

import type { Candidate } from "../../model/link.ts";
import type { Span } from "../../model/span.ts";
import { alignedQuery, readStoredClocks } from "../../queries/assembly/clocks/stored_clocks.ts";
import { assembleTrace } from "../../queries/assembly/assemble_trace.ts";
import { findSpanId } from "../../queries/assembly/find_trace.ts";
import { reweigh } from "../../queries/assembly/reassembly/reweigh.ts";
import {
  candidatesOf,
  relinkedQuery,
} from "../../queries/assembly/reassembly/stored_candidates.ts";
import { noKeys } from "../../queries/assembly/span_query.ts";
import { storeQuery } from "../../queries/assembly/store_query.ts";
import type { Trace } from "../../queries/assembly/trace.ts";
import type { Store } from "../../queries/store/store.ts";
import type { ExplainFlags } from "../cli/commands/explain.ts";
import { type CliContext, Refusal } from "../cli/context.ts";
import { assemblyRulesOf } from "../cli/options/assembly_flags.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { explain, type Explanation } from "./explanation.ts";
import { explanationJson } from "./explanation_json.ts";
import { explanationLines } from "./explanation_lines.ts";
import { openForReading } from "./open_for_reading.ts";

const COLUMNS_OF_FILES = 100;
/** Possible parents that are looked up by name. */
const NAMED_MAX = 2_000;
const always = { fromNs: -(1n << 62n), toNs: 1n << 62n };

export async function explainCommand(
  this: CliContext,
  flags: ExplainFlags,
  id: string,
): Promise<void> {
  const { stdout } = this.process;
  const rules = assemblyRulesOf(flags);
  await using store = await openForReading(flags.db);
  const spanId = await findSpanId(store, id);
  if (spanId === null) {
    const kind = id.length === 32 ? "trace" : "span";
    throw new Refusal(`Cannot explain ${id}: there is no such ${kind} in ${flags.db}`);
  }
  const clocks = await readStoredClocks(store);
  const query = relinkedQuery(alignedQuery(storeQuery(store), clocks), store, rules);
  const trace = await assembleTrace(query, spanId, always, rules);
  if (trace === null) throw new Refusal(`Cannot explain ${id}: its spans are not stored any more`);
  const explanations = await explainAll(store, trace, rules.without);
  if (flags.json === true) {
    const wanted = id.length === 16
      ? trace.nodes.filter(({ span }) => span.span_id === spanId)
      : trace.nodes;
    for (const node of wanted) {
      const explanation = explanations.get(node.span);
      if (explanation !== undefined) {
        stdout.write(`${explanationJson(trace.traceId, explanation)}\n`);
      }
    }
    return;
  }
  const isTerminal = Deno.stdout.isTerminal();
  const lines = explanationLines(trace, (node) => known(explanations, node.span), {
    paint: paintFor(isTerminal, (name) => Deno.env.get(name)),
    width: isTerminal ? Deno.consoleSize().columns : COLUMNS_OF_FILES,
    ...(id.length === 16 && flags.trace !== true ? { only: spanId } : {}),
  });
  stdout.write(`${lines.join("\n")}\n`);
}

function known(explanations: ReadonlyMap<Span, Explanation>, span: Span): Explanation {
  const found = explanations.get(span);
  if (found === undefined) throw new Error("Cannot explain a span that is not of the trace");
  return found;
}

async function explainAll(
  store: Store,
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
