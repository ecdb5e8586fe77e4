// SPDX-License-Identifier: Apache-2.0
// All traces of a set of spans, each span in exactly one: for export.
//
// Two spans are in one trace if links join them, so the trees of the forest are the traces: what a
// search from any of their spans would find, without searching.

import type { Span } from "../../model/span.ts";
import { ALL_RULES, type AssemblyRules } from "./assembly_rules.ts";
import { buildTraces, type Trace } from "./trace.ts";

/** In order of start. */
export function assembleAll(spans: Iterable<Span>, rules: AssemblyRules = ALL_RULES): Trace[] {
  return buildTraces(spans, "", rules);
}
