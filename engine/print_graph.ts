// SPDX-License-Identifier: Apache-2.0
// A graph as text: a line per node with rails between them for terminals, or Mermaid for pages.

import type { Graph, GraphNode, Output } from "./graph.ts";
import type { Limit } from "./operator.ts";
import type { NodeMeter, Snapshot } from "./runtime/meters.ts";

export interface PrintOptions {
  /** Counts to print beside the nodes. */
  readonly now?: Snapshot;
  /** An earlier snapshot: rates are then those since, not those since the start. */
  readonly before?: Snapshot;
  /** Limits by name, to print what is held as a part of what may be. */
  readonly limits?: Readonly<Record<string, Limit>>;
}

/**
 * Sources start at the left, what reads them stands below, and every further reader of an output
 * is indented before the main line goes on. A node with several inputs stands at its last one;
 * the others point to it.
 *
 *     ○ rings
 *     ├╴other
 *     │ ╰▶ link
 *     ● decode
 *     ● link
 *     ■ store
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const lines = layOut(graph);
  if (options.now === undefined) return lines.map((line) => line.text).join("\n") + "\n";
  const meters = new Map(options.now.nodes.map((meter) => [meter.id, meter]));
  const cells = lines.map(({ text, node }) => {
    const meter = node === undefined ? undefined : meters.get(node.id);
    if (node === undefined || meter === undefined) return [text];
    return [text, ...describe(node, meter, options)];
  });
  const title = ["", "in/s", "out/s", "held", "ns", "lag", ""];
  return align([title, ...cells]).join("\n") + "\n";
}

/** The graph for Mermaid, which GitHub and many editors draw. */
export function printMermaid(graph: Graph): string {
  const names = new Map(graph.nodes.map((node, index) => [node.id, `n${index}`]));
  const lines = ["flowchart LR"];
  for (const node of graph.nodes) {
    lines.push(`  ${names.get(node.id)}${shape(node)}`);
  }
  for (const node of graph.nodes) {
    for (const { from, output } of node.inputs) {
      const arrow = output === "main" ? "-->" : `-->|${output}|`;
      lines.push(`  ${names.get(from)} ${arrow} ${names.get(node.id)}`);
    }
  }
  return lines.join("\n") + "\n";
}

function shape({ id, kind }: GraphNode): string {
  const text = `"${id.replaceAll('"', "#quot;")}"`;
  switch (kind) {
    case "source":
      return `([${text}])`;
    case "sink":
      return `[(${text})]`;
    case "branch":
      return `{${text}}`;
    case "merge":
      return `((${text}))`;
    default:
      return `[${text}]`;
  }
}

interface Line {
  readonly text: string;
  /** The node whose counts belong on the line. */
  readonly node?: GraphNode;
}

const marks: Record<GraphNode["kind"], string> = {
  source: "○",
  operator: "●",
  join: "◆",
  branch: "◇",
  merge: "◆",
  web: "≋",
  sink: "■",
};

const outputs: readonly Output[] = ["side", "other", "main"];

function layOut(graph: Graph): Line[] {
  const lines: Line[] = [];
  const seen = new Map<string, number>();
  const readers = (id: string): { node: GraphNode; output: Output }[] =>
    outputs.flatMap((output) =>
      graph.nodes.flatMap((node) =>
        node.inputs.filter((input) => input.from === id && input.output === output)
          .map(() => ({ node, output }))
      )
    );
  /** Follows one connection into a node; the last one into it prints it. */
  const enter = (node: GraphNode, rail: string): void => {
    const arrived = (seen.get(node.id) ?? 0) + 1;
    seen.set(node.id, arrived);
    if (arrived < node.inputs.length) {
      lines.push({ text: `${rail}╰▶ ${node.id}` });
      return;
    }
    lines.push({ text: `${rail}${marks[node.kind]} ${node.id}`, node });
    const below = readers(node.id);
    for (const [index, reader] of below.entries()) {
      if (index === below.length - 1) {
        enter(reader.node, rail);
      } else {
        lines.push({ text: `${rail}├─╮${reader.output === "main" ? "" : ` ${reader.output}`}` });
        enter(reader.node, `${rail}│ `);
      }
    }
  };
  for (const node of graph.nodes) if (node.inputs.length === 0) enter(node, "");
  return lines;
}

function describe(node: GraphNode, meter: NodeMeter, options: PrintOptions): string[] {
  const { now, before } = options;
  const earlier = before?.nodes.find((other) => other.id === meter.id);
  const seconds = ((now?.elapsedMs ?? 0) - (before?.elapsedMs ?? 0)) / 1_000;
  const rate = (count: number, earlierCount = 0): string =>
    seconds > 0 ? formatCount((count - earlierCount) / seconds) : "–";
  const sunk = node.kind === "sink";
  return [
    node.kind === "source" ? "" : rate(meter.in, earlier?.in),
    sunk ? "" : rate(meter.out + meter.side, earlier && earlier.out + earlier.side),
    heldText(node, meter, options),
    Number.isNaN(meter.nsPerRecord) ? "" : meter.nsPerRecord.toFixed(0),
    meter.watermarkNs === undefined ? "" : formatNs(meter.lagNs),
    lossText(meter),
  ];
}

function heldText(node: GraphNode, meter: NodeMeter, { limits = {} }: PrintOptions): string {
  const [limit] = node.limits.flatMap((name) => limits[name] ?? []);
  if (limit !== undefined) {
    return `${formatCount(meter.held)}/${formatCount(limit.value)} ${limit.unit}`;
  }
  return meter.heldMax === 0 ? "" : formatCount(meter.held);
}

function lossText({ drops, failed }: NodeMeter): string {
  const parts = Object.entries(drops).map(([reason, n]) => `${reason} ${formatCount(n)}`);
  if (failed > 0) parts.push(`failed ${formatCount(failed)}`);
  return parts.join(", ");
}

function formatCount(n: number): string {
  if (n >= 10_000_000) return `${(n / 1_000_000).toFixed(0)}M`;
  if (n >= 10_000) return `${(n / 1_000).toFixed(0)}k`;
  return n >= 10 || Number.isInteger(n) ? n.toFixed(0) : n.toFixed(1);
}

function formatNs(ns: bigint): string {
  if (ns >= 10_000_000_000n) return `${ns / 1_000_000_000n} s`;
  return ns >= 10_000_000n ? `${ns / 1_000_000n} ms` : `${ns / 1_000n} µs`;
}

/** Pads every column to its widest cell: the first to the left, figures to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 || column === columns - 1 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
}
