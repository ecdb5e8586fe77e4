// SPDX-License-Identifier: Apache-2.0
// A finished trace as one line: when, how long, how it went, who, what, and who took part.

import { fit, harmless } from "../cli/terminal/cell_text.ts";
import { clockText, durationText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import { durationOf, errorOf, type RecentTrace } from "./recent_traces.ts";
import { requestText } from "./request_text.ts";
import { serviceNameOf } from "./service_stats.ts";

const COLUMNS = { took: 8, status: 16, service: 16, request: 40 } as const;

export function traceLineHeader(paint: Paint): string {
  const titles = [
    "START".padEnd(12),
    "TOOK".padStart(COLUMNS.took),
    "STATUS".padEnd(COLUMNS.status),
    "SERVICE".padEnd(COLUMNS.service),
    "REQUEST".padEnd(COLUMNS.request),
    "SPANS",
  ];
  return `${paint("bold", titles.join("  "))}\n`;
}

/** One line with its line end. */
export function traceLine(trace: RecentTrace, paint: Paint): string {
  const { root, spans } = trace;
  const errors = spans.filter(({ span }) => errorOf(span) > 0).length;
  const code = root.response_code === null ? "" : ` ${root.response_code}`;
  const status = fit(`${root.status}${code}`, COLUMNS.status);
  const cells = [
    paint("dim", clockText(root.start_unix_ns)),
    fit(durationText(durationOf(root)), COLUMNS.took, "right"),
    errors > 0 ? paint("red", status) : status,
    paint("cyan", fit(harmless(serviceNameOf(root)), COLUMNS.service)),
    fit(harmless(requestText(root)), COLUMNS.request),
    harmless(spanCounts(trace)),
  ];
  return `${cells.join("  ").trimEnd()}\n`;
}

/** "6: nginx 2, orders 2, redis 2". */
function spanCounts({ spans }: RecentTrace): string {
  const counts = new Map<string, number>();
  for (const { span } of spans) {
    const name = serviceNameOf(span);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => `${name} ${count}`);
  return spans.length === 1 ? "1" : `${spans.length}: ${parts.join(", ")}`;
}
