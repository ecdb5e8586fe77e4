// SPDX-License-Identifier: Apache-2.0
// Explanations as text: the trace as a tree, a reason under each span; what is uncertain apart.

import { CERTAIN_FROM } from "../../model/link.ts";
import { formatId, type Span } from "../../model/span.ts";
import { OBJECTIONS } from "../../model/links/votes.ts";
import { clockText } from "../../queries/assembly/clocks/clock_text.ts";
import type { Trace, TraceNode } from "../../queries/assembly/trace.ts";
import { harmless } from "../cli/terminal/cell_text.ts";
import { durationText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import { requestText } from "../views/request_text.ts";
import type { Alternative, Explanation, Reason } from "./explanation.ts";
import { wrapText } from "./wrap_text.ts";

export interface LinesOptions {
  readonly paint: Paint;
  /** Cells of a line; at least 60 are used. */
  readonly width: number;
  /** Only this span, with all that is known of it; all spans of the trace when absent. */
  readonly only?: bigint;
}

export function explanationLines(
  trace: Trace,
  explanationOf: (node: TraceNode) => Explanation,
  options: LinesOptions,
): string[] {
  const { only } = options;
  if (only !== undefined) {
    const node = trace.nodes.find(({ span }) => span.span_id === only);
    return node === undefined ? [] : [
      headline(trace, options),
      "",
      ...lines(explanationOf(node), "", options, true),
    ];
  }
  const apart: TraceNode[] = [];
  const told = tree(trace.root, explanationOf, options, apart);
  const below: string[] = [];
  for (let node = apart.shift(); node !== undefined; node = apart.shift()) {
    below.push("", ...tree(node, explanationOf, options, apart));
  }
  const doubt = "Uncertain: each could also hang elsewhere";
  return [
    headline(trace, options),
    "",
    ...told,
    ...(below.length === 0 ? [] : ["", options.paint("yellow", doubt), ...below]),
  ];
}

function headline(trace: Trace, { paint }: LinesOptions): string {
  const { root, nodes, startNs, endNs, traceId, truncated, clocks } = trace;
  const spans = `${nodes.length} span${nodes.length === 1 ? "" : "s"}`;
  const more = truncated === "" ? "" : ` · incomplete: ${truncated}`;
  const title = `${nameOf(root.span)} · ${durationText(endNs - startNs)} · ${spans}${more}`;
  const told = clocks.map((clock) => harmless(clockText(clock, durationText)));
  return [paint("bold", title), ...[`trace ${traceId}`, ...told].map((line) => paint("dim", line))]
    .join("\n");
}

/** A span and what hangs below it with certainty; the others are left in `apart`. */
function tree(
  top: TraceNode,
  explanationOf: (node: TraceNode) => Explanation,
  options: LinesOptions,
  apart: TraceNode[],
): string[] {
  const told: string[] = [];
  const stack = [top];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const depth = Math.min(node.depth - top.depth, indentMax);
    told.push(...lines(explanationOf(node), "  ".repeat(depth), options, node === top));
    for (const child of [...node.children].reverse()) {
      const isSure = child.link === null || child.link.confidence >= CERTAIN_FROM;
      if (isSure) stack.push(child);
      else apart.unshift(child);
    }
  }
  return told;
}

/** Levels drawn; deeper spans keep the indentation of this depth. */
const indentMax = 12;

/** A span and its reasons. Where it hangs is told where the tree does not show it. */
function lines(
  explanation: Explanation,
  indent: string,
  options: LinesOptions,
  tellsParent: boolean,
): string[] {
  const { span, parent, isCertain } = explanation;
  const { paint } = options;
  const id = paint("dim", formatId(span.span_id));
  const name = isCertain ? paint("bold", nameOf(span)) : paint("yellow", `? ${nameOf(span)}`);
  const told = [`${indent}${name}  ${durationText(span.end_unix_ns - span.start_unix_ns)}  ${id}`];
  const say = (text: string) => {
    const width = Math.max(60, options.width) - indent.length - 4;
    for (const line of wrapText(text, width)) told.push(`${indent}    ${line}`);
  };
  if (parent !== null && tellsParent) say(`under ${nameOf(parent)} (${formatId(parent.span_id)})`);
  say(reason(explanation));
  for (const other of explanation.agreeing) say(`also: ${reasonText(other)}`);
  for (const objection of explanation.against) say(`but: ${OBJECTIONS[objection]}`);
  const word = isCertain && explanation.margin === null ? "otherwise under" : "or:";
  for (const other of shown(explanation)) say(`${word} ${alternativeText(other)}`);
  const hidden = explanation.among - explanation.others.length - (parent === null ? 0 : 1);
  if (!isCertain && hidden > 0) say(`or one of ${hidden} others`);
  return told;
}

function reason({ parent, evidence, rule, confidence, because, margin }: Explanation): string {
  if (parent === null) return `a root: ${because}`;
  const lead = margin === null ? "" : `, ${percent(margin)} ahead of the next`;
  return `${evidence} ${percent(confidence)}${lead}: ${because} [${rule}]`;
}

/** Of a sure link only who came near is worth a line. */
function shown({ others, isCertain }: Explanation): readonly Alternative[] {
  return isCertain ? others.filter(({ confidence }) => confidence >= worthFrom) : others;
}

const worthFrom = 0.001;

function alternativeText({ spanId, span, confidence, reasons, against }: Alternative): string {
  const name = span === null ? "a request that is not stored" : nameOf(span);
  const why = [...reasons.map(reasonText), ...against.map((objection) => OBJECTIONS[objection])];
  const end = why.length === 0 ? "open at the time" : why.join("; ");
  return `${name} (${formatId(spanId)}) ${percent(confidence)}: ${end}`;
}

function reasonText({ rule, trust, because }: Reason): string {
  return `${because} [${rule}, trusted ${percent(trust)}]`;
}

/** "nginx → GET /orders/7": who, the arrow for what was sent, and what. */
export function nameOf(span: Span): string {
  const isSent = span.kind === "client" || span.kind === "producer";
  const who = span.observer === "nic" ? "network" : span.service || span.process || "?";
  const app = span.observer === "app" ? " (application)" : "";
  const what = span.observer === "app" ? span.name : requestText(span);
  const text = harmless(`${who}${app} ${isSent ? "→ " : ""}${what}`);
  return text.length <= nameMax ? text : `${text.slice(0, nameMax - 1)}…`;
}

const nameMax = 80;

/** "99.8%", "100%", "0.1%". */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 99.95 ? "100" : value.toFixed(1)}%`;
}
