// SPDX-License-Identifier: Apache-2.0
// The waterfall of spans at hand, as lines for a terminal or a file.

import type { Span } from "../../model/span.ts";
import { buildTraces, type Trace } from "../../queries/assembly/trace.ts";
import { waterfall } from "../../queries/assembly/waterfall.ts";
import { fit, harmless } from "../cli/terminal/cell_text.ts";
import { durationText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";

/** Lines of every trace that the spans make, in order of start. */
export function waterfallLines(spans: Iterable<Span>, columns: number, paint: Paint): string[] {
  return buildTraces(spans).flatMap((trace, i) => [
    ...(i === 0 ? [] : [""]),
    ...traceWaterfall(trace, columns, paint),
  ]);
}

export function traceWaterfall(trace: Trace, columns: number, paint: Paint): string[] {
  const text = { fit, harmless, duration: durationText, paint };
  return waterfall(trace, { text, width: columns, evidence: columns >= 100 });
}
