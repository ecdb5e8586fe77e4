// SPDX-License-Identifier: Apache-2.0
// What `tshark -T pdml` prints: packets, their protocols, and fields within fields.

/** A protocol or a field. */
export interface Node {
  readonly name: string;
  /** The value as tshark filters by it. */
  readonly show: string;
  /** Text for people, with the field's label. */
  readonly showname: string;
  /** Bytes in hex, where the field stands for bytes. */
  readonly value: string;
  readonly children: readonly Node[];
}

/** The protocols of each packet, outermost first. */
export function* readPdml(text: string): Generator<readonly Node[]> {
  const open: Building[] = [];
  for (const [, closing, tag, words = "", empty] of text.matchAll(TAG)) {
    if (closing === "/") {
      const done = open.pop();
      if (tag === "packet" && done !== undefined) yield done.children;
      continue;
    }
    const node: Building = { name: "", show: "", showname: "", value: "", children: [] };
    for (const [, name, value = ""] of words.matchAll(ATTRIBUTE)) {
      if (name === "name") node.name = value;
      else if (name === "show") node.show = plain(value);
      else if (name === "showname") node.showname = plain(value);
      else if (name === "value") node.value = value;
    }
    open.at(-1)?.children.push(node);
    if (empty !== "/") open.push(node);
  }
}

interface Building {
  name: string;
  show: string;
  showname: string;
  value: string;
  readonly children: Building[];
}

const TAG = /<(\/?)(packet|proto|field)\b([^>]*?)(\/?)>/g;
const ATTRIBUTE = /(\w+)="([^"]*)"/g;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function plain(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name] ?? whole;
  });
}

/** All of that name below a node, in order, however deep. */
export function* nodesNamed(node: Node, name: string): Generator<Node> {
  for (const child of node.children) {
    if (child.name === name) yield child;
    yield* nodesNamed(child, name);
  }
}

/** The first of that name below a node. */
export function first(node: Node, name: string): Node | undefined {
  for (const found of nodesNamed(node, name)) return found;
  return undefined;
}

/** Its value; undefined when it is not there. */
export const show = (node: Node, name: string): string | undefined => first(node, name)?.show;

export function number(node: Node, name: string): number | undefined {
  const text = show(node, name);
  return text === undefined || text === "" ? undefined : Number(text);
}

/** Its bytes as text. */
export function text(node: Node, name: string): string | undefined {
  const found = first(node, name);
  return found === undefined ? undefined : new TextDecoder().decode(bytesOf(found));
}

export const bytesOf = (node: Node): Uint8Array => Uint8Array.fromHex(node.value);
