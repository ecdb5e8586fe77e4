// SPDX-License-Identifier: Apache-2.0
// Assembled traces as one span per line of JSON, each trace in the order of its waterfall.

import type { Trace } from "../../queries/assembly/trace.ts";
import { LineBytes } from "./line_bytes.ts";
import { writeTracedSpanLine } from "./span_json.ts";
import type { TraceWriter } from "./trace_writer.ts";

export function tracedLines(): TraceWriter {
  return { begin: () => "", write: linesOf, end: () => "" };
}

/** With which a line ends; what only assembly knows comes before it. */
const LINE_END = "}\n";

function* linesOf(traces: readonly Trace[]): Generator<string> {
  const line = new LineBytes();
  for (const { traceId, nodes } of traces) {
    for (const { span, link, selfNs, isCritical } of nodes) {
      const linked = {
        ...span,
        parent_span_id: link === null ? null : link.parent.span_id,
        link_evidence: link === null ? "" as const : link.evidence,
        link_confidence: link === null ? 0 : link.confidence,
      };
      line.clear();
      writeTracedSpanLine(linked, traceId, line);
      const place = `,"self_time_ns":"${selfNs}","is_critical":${isCritical}}\n`;
      yield line.text().slice(0, -LINE_END.length) + place;
    }
  }
}
