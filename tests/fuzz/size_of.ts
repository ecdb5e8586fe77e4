// SPDX-License-Identifier: Apache-2.0
// About how many bytes a value keeps alive: texts, bytes, and 16 for everything that holds others.

const ENTRY_BYTES = 16;

/** Stops counting beyond `bytesMax`. */
export function sizeOf(value: unknown, bytesMax: number): number {
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  let bytes = 0;
  while (waiting.length > 0 && bytes <= bytesMax) {
    const next = waiting.pop();
    if (typeof next === "string") bytes += next.length;
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    bytes += ENTRY_BYTES;
    if (ArrayBuffer.isView(next)) bytes += next.byteLength;
    else if (next instanceof Map) { for (const [key, each] of next) waiting.push(key, each); }
    else if (next instanceof Set) { for (const each of next) waiting.push(each); }
    else waiting.push(...Object.values(next));
  }
  return bytes;
}
