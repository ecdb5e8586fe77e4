// SPDX-License-Identifier: Apache-2.0
// The values of a JSON file, one after the other: the elements of its list, or one value a line.
// Files may be longer than the longest text there can be, so only one value is text at a time.

const [quote, backslash, comma, newline] = [0x22, 0x5c, 0x2c, 0x0a];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

export async function* jsonValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const scan = startScan();
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty &&= chunk.length === 0;
    for (const text of valuesIn(chunk, scan)) yield JSON.parse(text);
  }
  if (isEmpty) throw new Error("it is empty");
  const rest = taken(scan);
  if (scan.depth > 0 || scan.isInText) throw new Error("its JSON ends in the middle");
  if (rest !== null) yield JSON.parse(rest);
}

/** How far the file has been read. */
interface Scan {
  depth: number;
  isInText: boolean;
  isEscaped: boolean;
  /** The whole is a list, of which elements are told; null until it is known. */
  isList: boolean | null;
  /** Of the value under way. */
  parts: Uint8Array[];
}

const startScan = (): Scan => ({
  depth: 0,
  isInText: false,
  isEscaped: false,
  isList: null,
  parts: [],
});

function* valuesIn(chunk: Uint8Array, scan: Scan): Generator<string> {
  let from = 0;
  for (let i = 0; i < chunk.length; i++) {
    const byte = chunk[i] ?? 0;
    if (scan.isInText) {
      if (scan.isEscaped) scan.isEscaped = false;
      else if (byte === backslash) scan.isEscaped = true;
      else if (byte === quote) scan.isInText = false;
      continue;
    }
    if (scan.isList === null && byte > 0x20) {
      scan.isList = byte === openList;
      if (scan.isList) {
        scan.depth = 1;
        from = i + 1;
        continue;
      }
    }
    if (byte === quote) scan.isInText = true;
    else if (byte === openObject || byte === openList) scan.depth++;
    else if (byte === closeObject || byte === closeList) scan.depth--;
    if (!endsValue(byte, scan)) continue;
    const isPart = byte === closeObject || (byte === closeList && scan.isList === false);
    scan.parts.push(chunk.slice(from, isPart ? i + 1 : i));
    from = i + 1;
    const text = taken(scan);
    if (text !== null) yield text;
  }
  if (from < chunk.length) scan.parts.push(chunk.slice(from));
}

function endsValue(byte: number, { depth, isList }: Scan): boolean {
  if (isList) {
    if (depth === 0) return true;
    return depth === 1 && (byte === comma || byte === closeObject);
  }
  return depth === 0 && (byte === newline || byte === closeObject || byte === closeList);
}

/** Null if there is nothing but space. */
function taken(scan: Scan): string | null {
  const decoder = new TextDecoder();
  let text = "";
  for (const part of scan.parts) text += decoder.decode(part, { stream: true });
  text = (text + decoder.decode()).trim();
  scan.parts = [];
  return text === "" ? null : text;
}
