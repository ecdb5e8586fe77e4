// SPDX-License-Identifier: Apache-2.0
// The Huffman code of HPACK (RFC 7541, appendix B), decoded four bits at a time.
//
// The code is canonical: the lengths alone give it. The shortest code has five bits, so one nibble
// completes at most one symbol, and a state is an inner node of the code tree.

/** Bits of the code of each byte value; the end-of-string symbol, 30 ones, is left out. */
const LENGTHS = [
  "13,23,28*7,24,30,28*2,30,28*8,30,28*9,6,10*2,12,13,6,8,11,10*2,8,11,8,6*3,5*3,6*7,7,8,15,6,12,10",
  "13,6,7*22,8,7,8,13,19,13,14,6,15,5,6,5,6,5,6*3,5,7*2,6*3,5,6,7,6,5*2,6,7*5,15,11,14,13,28,20,22",
  "20*2,22*3,23,22,23*5,24,23,24*2,22,23,24,23*4,21,22,23,22,23*2,24,22,21,20,22*2,23*2,21,23,22*2",
  "24,21,22,23*2,21*2,22,21,23,22,23*2,20,22*3,23,22*2,23,26*2,20,19,22,23,22,25,26*3,27*2,26,24,25",
  "19,21,26,27*2,26,27,24,21*2,26*2,28,27*3,20,24,20,21,22,21*2,23,22*2,25*2,24*2,26,23,26,27,26*2",
  "27*5,28,27*5,26",
].join(",");

interface Table {
  /** By state * 16 + nibble: the next state, or -1 where the code ends in nothing. */
  readonly next: Int16Array;
  /** By state * 16 + nibble: the byte completed on the way, or -1. */
  readonly symbol: Int16Array;
  /** By state: the string may end here (a prefix of end-of-string of at most 7 bits). */
  readonly accepts: Uint8Array;
}

let table: Table | null = null;

function lengths(): number[] {
  return LENGTHS.split(",").flatMap((part) => {
    const [length, times = "1"] = part.split("*");
    return new Array<number>(Number(times)).fill(Number(length));
  });
}

/** The tree as pairs of children: >= 0 an inner node, < 0 the byte -1 - child, null nothing. */
function buildTree(): (number | null)[][] {
  const nodes: (number | null)[][] = [[null, null]];
  const symbols = lengths().map((length, byte) => ({ length, byte }));
  symbols.sort((a, b) => a.length - b.length || a.byte - b.byte);
  let code = 0;
  let last = 0;
  for (const { length, byte } of symbols) {
    code *= 2 ** (length - last);
    last = length;
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const side = Math.floor(code / 2 ** bit) % 2;
      const children = nodes[node] ?? [];
      if (bit === 0) children[side] = -1 - byte;
      else if (children[side] === null) {
        children[side] = nodes.length;
        nodes.push([null, null]);
      }
      node = children[side] ?? 0;
    }
    code++;
  }
  return nodes;
}

function buildTable(): Table {
  const nodes = buildTree();
  const next = new Int16Array(nodes.length * 16).fill(-1);
  const symbol = new Int16Array(nodes.length * 16).fill(-1);
  for (let state = 0; state < nodes.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node: number | null = state;
      for (let bit = 3; bit >= 0 && node !== null; bit--) {
        node = nodes[node]?.[nibble >> bit & 1] ?? null;
        if (node !== null && node < 0) {
          symbol[state * 16 + nibble] = -1 - node;
          node = 0;
        }
      }
      next[state * 16 + nibble] = node ?? -1;
    }
  }
  const accepts = new Uint8Array(nodes.length);
  for (let node: number | null = 0, bits = 0; bits < 8 && node !== null && node >= 0; bits++) {
    accepts[node] = 1;
    node = nodes[node]?.[1] ?? null;
  }
  return { next, symbol, accepts };
}

/** Decodes a Huffman-coded string, each byte as a character; null when it is not one. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  table ??= buildTable();
  const { next, symbol, accepts } = table;
  let state = 0;
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    let at = state * 16 + (byte >> 4);
    let made = symbol[at] as number;
    if (made >= 0) text += String.fromCharCode(made);
    state = next[at] as number;
    if (state < 0) return null;
    at = state * 16 + (byte & 15);
    made = symbol[at] as number;
    if (made >= 0) text += String.fromCharCode(made);
    state = next[at] as number;
    if (state < 0) return null;
  }
  return accepts[state] === 1 ? text : null;
}
