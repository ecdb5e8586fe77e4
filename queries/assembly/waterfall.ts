// SPDX-License-Identifier: Apache-2.0
// An assembled trace as lines of text: a tree at the left, bars on one time axis at the right.

import { CERTAIN_FROM } from "../../model/link.ts";
import { clockText } from "./clocks/clock_text.ts";
import type { Trace, TraceNode } from "./trace.ts";

/** How the program at hand writes text; the terminal's functions fit. */
export interface TextStyle {
  /** Exactly so many cells: cut or padded. */
  readonly fit: (text: string, cells: number, align?: "left" | "right") => string;
  /** Control characters made visible: what is shown comes from other people's traffic. */
  readonly harmless: (text: string) => string;
  readonly duration: (ns: bigint) => string;
  readonly paint: (style: Paintable, text: string) => string;
}

export type Paintable = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

export interface WaterfallOptions {
  readonly text: TextStyle;
  /** Cells of a line; at least 40 are used. */
  readonly width: number;
  /**
   * Shows what each link rests on and how sure it is, the time that each span took by itself, and
   * which spans the trace waited for (its critical path).
   */
  readonly evidence?: boolean;
  /** Spans shown; the number of the rest is told. */
  readonly rowsMax?: number;
}

/** A headline, then one line per span. */
export function waterfall(trace: Trace, options: WaterfallOptions): string[] {
  const { text, rowsMax = 200 } = options;
  const width = Math.max(40, options.width);
  const columns = layOut(width, options.evidence === true);
  const branches = treeBranches(trace.nodes);
  const lines = [headline(trace, text, width)];
  for (const [index, node] of trace.nodes.entries()) {
    if (index >= rowsMax) break;
    lines.push(row(trace, node, branches[index] ?? "", columns, text));
  }
  const hidden = trace.nodes.length - rowsMax;
  if (hidden > 0) lines.push(text.paint("dim", `… ${hidden} more spans`));
  const uncertain = trace.nodes.filter(isUncertain).length;
  if (uncertain > 0) {
    const links = uncertain === 1 ? "1 link is" : `${uncertain} links are`;
    lines.push(text.paint("yellow", `? ${links} uncertain: the likeliest parent is shown`));
  }
  for (const clock of trace.clocks) {
    lines.push(text.paint("dim", text.harmless(clockText(clock, text.duration))));
  }
  if (options.evidence === true && trace.nodes.length > 1) {
    lines.push(text.paint("dim", "• the trace waited for it; time in all, and time of its own"));
  }
  return lines;
}

interface Columns {
  readonly label: number;
  readonly evidence: number;
  readonly duration: number;
  /** Time of its own, with the mark of the critical path before it. */
  readonly self: number;
  readonly bar: number;
}

function layOut(width: number, hasEvidence: boolean): Columns {
  const evidence = hasEvidence ? 14 : 0;
  const duration = 8;
  const self = hasEvidence ? 10 : 0;
  const gaps = hasEvidence ? 4 : 2;
  const left = width - evidence - duration - self - gaps;
  const bar = Math.max(8, Math.floor(left * 0.45));
  return { label: left - bar, evidence, duration, self, bar };
}

function headline(trace: Trace, text: TextStyle, width: number): string {
  const { nodes, root, traceId, truncated } = trace;
  const services = new Set(nodes.map(({ span }) => span.service || span.process)).size;
  const errors = nodes.filter(hasFailed).length;
  const parts = [
    `${root.span.service || root.span.process} ${root.span.name}`,
    text.duration(trace.endNs - trace.startNs),
    `${nodes.length} span${nodes.length === 1 ? "" : "s"}`,
    `${services} service${services === 1 ? "" : "s"}`,
    ...(errors > 0 ? [`${errors} failed`] : []),
    ...(truncated === "" ? [] : [`incomplete: ${truncated}`]),
    `trace ${traceId}`,
  ];
  return text.paint("bold", text.fit(text.harmless(parts.join(" · ")), width).trimEnd());
}

function row(
  trace: Trace,
  node: TraceNode,
  branch: string,
  columns: Columns,
  text: TextStyle,
): string {
  const { span } = node;
  const sent = span.kind === "client" || span.kind === "producer" ? "→ " : "";
  const where = span.observer === "nic" ? "⋯ network" : span.service || span.process;
  const doubt = isUncertain(node) ? "? " : "";
  const failed = hasFailed(node) ? ` ${failure(node)}` : "";
  const name = text.harmless(`${where} ${sent}${span.name}${failed}`);
  const label = text.fit(`${branch}${doubt}${name}`, columns.label);
  const styled = hasFailed(node)
    ? text.paint("red", label)
    : isUncertain(node)
    ? text.paint("yellow", label)
    : span.observer === "nic"
    ? text.paint("dim", label)
    : label;
  const cells = [styled];
  if (columns.evidence > 0) {
    cells.push(text.paint("dim", text.fit(evidenceText(node), columns.evidence)));
  }
  cells.push(text.fit(text.duration(durationOf(node)), columns.duration, "right"));
  if (columns.self > 0) {
    const own = text.fit(text.duration(node.selfNs), columns.self - 2, "right");
    cells.push(text.paint("dim", `${own} ${node.isCritical ? "•" : " "}`));
  }
  cells.push(bar(trace, node, columns.bar, text));
  return cells.join(" ");
}

function evidenceText({ link }: TraceNode): string {
  return link === null ? "" : `${link.evidence} ${Math.round(link.confidence * 100)}%`;
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function bar(trace: Trace, node: TraceNode, cells: number, text: TextStyle): string {
  const wholeNs = Number(trace.endNs - trace.startNs) || 1;
  const fromNs = Number(node.span.start_unix_ns - trace.startNs);
  const begin = Math.min(cells - 1, Math.floor(fromNs / wholeNs * cells));
  const length = Math.max(1, Math.round(Number(durationOf(node)) / wholeNs * cells * 8));
  const inEighths = Math.min(length, (cells - begin) * 8);
  const drawn = "█".repeat(inEighths >> 3) + (eighths[inEighths & 7] ?? "");
  const style = hasFailed(node) ? "red" : node.isCritical ? "cyan" : "dim";
  return " ".repeat(begin) + text.paint(style, drawn);
}

/** The lines of the tree before each node, in the order of `nodes`. */
function treeBranches(nodes: readonly TraceNode[]): string[] {
  const hasMore: boolean[] = [];
  const branches = new Array<string>(nodes.length);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const depth = nodes[i]?.depth ?? 0;
    let branch = "";
    const from = Math.max(1, depth - indentMax);
    for (let level = from; level < depth; level++) branch += hasMore[level] ? "│ " : "  ";
    if (depth > 0) branch += hasMore[depth] ? "├ " : "└ ";
    if (from > 1) branch = `…${branch.slice(1)}`;
    branches[i] = branch;
    hasMore.length = depth;
    hasMore[depth] = true;
  }
  return branches;
}

/** Levels drawn; deeper spans keep the indentation of this depth. */
const indentMax = 16;

function isUncertain({ link }: TraceNode): boolean {
  return link !== null && link.confidence < CERTAIN_FROM;
}

function hasFailed({ span }: TraceNode): boolean {
  return span.status !== "ok" && span.status !== "unknown";
}

function failure({ span }: TraceNode): string {
  if (span.status === "timeout" || span.status === "reset") return span.status;
  return span.response_code === null ? "failed" : String(span.response_code);
}

function durationOf({ span }: TraceNode): bigint {
  return span.end_unix_ns > span.start_unix_ns ? span.end_unix_ns - span.start_unix_ns : 0n;
}
