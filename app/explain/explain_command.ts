// SPDX-License-Identifier: Apache-2.0
// `explain`: why each span of a stored trace hangs where it hangs.

import type { ExplainFlags } from "../cli/commands/explain.ts";
import type { CliContext } from "../cli/context.ts";
import { openForReading } from "../cli/open_for_reading.ts";
import { assemblyRulesOf } from "../cli/options/assembly_flags.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { explainStored } from "./explain_stored.ts";
import { explanationJson } from "./explanation_json.ts";
import { explanationLines } from "./explanation_lines.ts";

const COLUMNS_OF_FILES = 100;

export async function explainCommand(
  this: CliContext,
  flags: ExplainFlags,
  id: string,
): Promise<void> {
  const { stdout } = this.process;
  await using store = await openForReading(flags.db);
  const { trace, spanId, explanationOf } = await explainStored(store, id, assemblyRulesOf(flags));
  const isOneSpan = id.length === 16 && flags.trace !== true;
  if (flags.json === true) {
    for (const node of trace.nodes) {
      if (isOneSpan && node.span.span_id !== spanId) continue;
      stdout.write(`${explanationJson(trace.traceId, explanationOf(node))}\n`);
    }
    return;
  }
  const isTerminal = Deno.stdout.isTerminal();
  const lines = explanationLines(trace, explanationOf, {
    paint: paintFor(isTerminal, (name) => Deno.env.get(name)),
    width: isTerminal ? Deno.consoleSize().columns : COLUMNS_OF_FILES,
    ...(isOneSpan ? { only: spanId } : {}),
  });
  stdout.write(`${lines.join("\n")}\n`);
}
