// SPDX-License-Identifier: Apache-2.0
// What the demo has found: the map of the shop, its slowest trace, and how complete it all is.

import { countText } from "../cli/terminal/quantity_text.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { durationOf, type RecentTrace } from "../views/recent_traces.ts";
import { countsText } from "../trace/run_report.ts";
import { ServiceMap } from "../views/service_map.ts";
import { serviceMapLines } from "../views/service_map_text.ts";
import type { Counts } from "../trace/vitals.ts";
import { waterfallLines } from "../views/waterfall_text.ts";

export interface DemoFindings {
  /** Every trace that a process of the shop took part in. */
  readonly traces: readonly RecentTrace[];
  readonly sent: number;
  readonly failed: number;
  readonly seconds: number;
  readonly counts: Counts;
}

const COLUMNS = 100;

export function demoReport(findings: DemoFindings): string {
  const { traces, seconds } = findings;
  const isTerminal = Deno.stdout.isTerminal();
  const paint = paintFor(isTerminal, (name) => Deno.env.get(name));
  const columns = isTerminal ? Deno.consoleSize().columns : COLUMNS;
  const map = new ServiceMap();
  for (const trace of traces) map.add(trace);
  const [slowest] = [...traces].sort((a, b) => durationOf(b.root) - durationOf(a.root));
  const waterfall = slowest === undefined
    ? ["no trace was seen"]
    : waterfallLines(slowest.spans.map(({ span }) => span), columns, paint);
  return [
    "",
    paint("bold", "Service map"),
    "",
    ...serviceMapLines(map.edges(), seconds, paint),
    "",
    paint("bold", "Slowest trace"),
    "",
    ...waterfall,
    "",
    ...completeness(findings),
    "",
  ].join("\n");
}

/** Every request is one trace that begins at nginx, and every call inside has its parent. */
function completeness({ traces, sent, failed, counts }: DemoFindings): string[] {
  const whole = traces.filter(({ root }) => root.process === "nginx" && root.kind === "server");
  const spans = traces.reduce((sum, trace) => sum + trace.spans.length, 0);
  const inTraces = whole.reduce((sum, trace) => sum + trace.spans.length, 0);
  const apart = traces.length - whole.length;
  const failures = failed === 0 ? "" : ` (${failed} failed)`;
  return [
    `${countText(sent)} requests sent${failures}, ${
      countText(whole.length)
    } traces seen at nginx, ` +
    `${countText(inTraces)} of ${countText(spans)} spans in them, ` +
    `${
      apart === 0 ? "none" : countText(apart) + (apart === 1 ? " fragment" : " fragments")
    } apart.`,
    countsText(counts),
  ];
}
