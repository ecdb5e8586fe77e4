// SPDX-License-Identifier: Apache-2.0
// A set of byte values: 256 flags, tested by index.

/** `set[byte] === 1` when the byte is in the set. */
export type ByteSet = Readonly<Uint8Array>;

/** What a set is made of: the characters of a text, one value, or a range with both its ends. */
export type ByteSetPart = string | number | readonly [first: number, last: number];

/** `byteSet("+-:$*", 0x16, [0x80, 0xff])` */
export function byteSet(...parts: readonly ByteSetPart[]): ByteSet {
  const set = new Uint8Array(256);
  for (const part of parts) {
    if (typeof part === "number") set[part] = 1;
    else if (typeof part === "string") {
      for (let i = 0; i < part.length; i++) set[part.charCodeAt(i)] = 1;
    } else set.fill(1, part[0], part[1] + 1);
  }
  return set;
}

/** Every byte: for protocols whose first byte says nothing. */
export function anyByte(): ByteSet {
  return byteSet([0, 255]);
}
