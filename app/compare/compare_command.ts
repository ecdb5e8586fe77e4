// SPDX-License-Identifier: Apache-2.0
// `compare`: two assemblies of the same stored spans, and their differences.

import { ALL_RULES } from "../../queries/assembly/assembly_rules.ts";
import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import {
  compareAssemblies,
  type Comparison,
  type RuleNamer,
} from "../../queries/assembly/reassembly/assembly_comparison.ts";
import { decidingRule } from "../../queries/assembly/reassembly/deciding_rule.ts";
import { type CandidatesByChild, relink } from "../../queries/assembly/reassembly/relink.ts";
import { reweigh } from "../../queries/assembly/reassembly/reweigh.ts";
import type { CompareFlags } from "../cli/commands/compare.ts";
import { type CliContext, Refusal } from "../cli/context.ts";
import { openForReading } from "../cli/open_for_reading.ts";
import { assemblyRulesOf } from "../cli/options/assembly_flags.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { storedWindows } from "../export/stored_windows.ts";
import { comparisonJson } from "./comparison_json.ts";
import { comparisonLines } from "./comparison_lines.ts";

export async function compareCommand(this: CliContext, flags: CompareFlags): Promise<void> {
  const { since, until } = flags;
  if (flags.threshold === undefined && flags.withoutRule === undefined) {
    throw new Refusal("Cannot compare: say what to change, by --threshold or --without-rule");
  }
  if (since !== undefined && until !== undefined && since >= until) {
    throw new Refusal("Cannot compare: --since is not before --until");
  }
  await using store = await openForReading(flags.db);
  const range = {
    ...(since === undefined ? {} : { sinceNs: since }),
    ...(until === undefined ? {} : { untilNs: until }),
  };
  const rules = assemblyRulesOf(flags);
  let candidates: CandidatesByChild = new Map();
  const storedOf = (id: bigint) => candidates.get(id) ?? [];
  const ruleBefore: RuleNamer = ({ span, link }) =>
    link === null ? "" : decidingRule(link, storedOf(span.span_id));
  const ruleAfter: RuleNamer = ({ span, link }) =>
    link === null ? "" : decidingRule(link, reweigh(storedOf(span.span_id), rules.without));
  const comparison = compareAssemblies(ruleBefore, ruleAfter);
  const { windows } = await storedWindows(store, range);
  for await (const window of windows) {
    candidates = window.candidates;
    comparison.add(
      assembleAll(window.spans, ALL_RULES),
      assembleAll(relink(window.spans, candidates, rules), rules),
      window,
    );
  }
  show(this, comparison.result(), flags);
}

function show({ process }: CliContext, result: Comparison, flags: CompareFlags): void {
  if (flags.json === true) {
    process.stdout.write(`${comparisonJson(result)}\n`);
    return;
  }
  const paint = paintFor(Deno.stdout.isTerminal(), (name) => Deno.env.get(name));
  process.stdout.write(`${comparisonLines(result, paint).join("\n")}\n`);
}
