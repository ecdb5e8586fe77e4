// SPDX-License-Identifier: Apache-2.0
// Bytes to text. Short ASCII, nearly all there is, goes by char codes; the rest by TextDecoder.

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** Up to here char codes were measured to be faster than a call of TextDecoder. */
const shortBytes = 32;

/** Bytes that are not UTF-8 become U+FFFD. */
export function decodeUtf8(buffer: Uint8Array, start: number, end: number): string {
  if (end - start <= shortBytes) {
    let text = "";
    let i = start;
    for (; i < end; i++) {
      const byte = buffer[i] as number;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (i === end) return text;
  }
  return utf8.decode(buffer.subarray(start, end));
}

/** Each byte becomes the character of the same number. */
export function decodeLatin1(buffer: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(buffer[i] as number);
  return text;
}
