// SPDX-License-Identifier: Apache-2.0
// Text of kernel records: NUL-terminated or NUL-separated bytes, cut at the size of their field.

const decoder = new TextDecoder();

/** Text up to the first NUL, of at most `bytesMax` bytes. */
export function readText(bytes: Uint8Array, at: number, bytesMax: number): string {
  let end = at;
  while (end < at + bytesMax && bytes[end] !== 0) end++;
  return decoder.decode(bytes.subarray(at, end));
}

/** NUL-separated words, such as the arguments of a program; the last one may be cut. */
export function readWords(bytes: Uint8Array, at: number, length: number): string[] {
  if (length === 0) return [];
  const text = decoder.decode(bytes.subarray(at, at + length));
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}
