// SPDX-License-Identifier: Apache-2.0
// Libraries as ELF files of a few named sections, for tests.

export interface FixtureSection {
  readonly name: string;
  readonly type?: number;
  readonly bytes: Uint8Array;
  /** Name of the section that holds its symbols, or their names. */
  readonly link?: string;
}

export const LINKED_AT = 0x4000;
const CONTENT_AT = 128;

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Words of 64 bits. */
export const wordsOf = (...words: readonly bigint[]): Uint8Array =>
  new Uint8Array(new BigUint64Array(words).buffer);

/** Symbols of a table: the first stands for none. */
export const symbolsOf = (
  ...symbols: readonly { readonly nameAt: number; readonly value?: number }[]
): Uint8Array =>
  wordsOf(
    ...[0n, 0n, 0n],
    ...symbols.flatMap(({ nameAt, value = 0 }) => [BigInt(nameAt), BigInt(value), 0n]),
  );

/** One segment, from the first byte of the file. */
export function fixtureLibrary(sections: readonly FixtureSection[]): Uint8Array {
  const names: FixtureSection = {
    name: ".shstrtab",
    bytes: bytesOf(`\0${namesIn(sections)}.shstrtab\0`),
  };
  const all = [...sections, names];
  const sizes = all.map(({ bytes }) => Math.ceil(bytes.length / 8) * 8);
  const headersAt = CONTENT_AT + sizes.reduce((sum, size) => sum + size, 0);
  const file = new Uint8Array(headersAt + 64 * (all.length + 1));
  const view = new DataView(file.buffer);
  const word = (to: number, value: number) => view.setBigUint64(to, BigInt(value), true);
  [0x7f, 0x45, 0x4c, 0x46, 2, 1].forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(16, 3, true);
  view.setUint16(18, 62, true);
  word(32, 64);
  word(40, headersAt);
  [56, 1, 64, all.length + 1, all.length].forEach((value, i) =>
    view.setUint16(54 + 2 * i, value, true)
  );
  view.setUint32(64, 1, true);
  word(80, LINKED_AT);
  word(96, file.length);
  let at = CONTENT_AT;
  for (const [i, { type = 1, bytes, link = "" }] of all.entries()) {
    const header = headersAt + 64 * (i + 1);
    file.set(bytes, at);
    view.setUint32(header, 1 + namesIn(all.slice(0, i)).length, true);
    view.setUint32(header + 4, type, true);
    word(header + 16, LINKED_AT + at);
    word(header + 24, at);
    word(header + 32, bytes.length);
    view.setUint32(header + 40, 1 + all.findIndex((each) => each.name === link), true);
    at += sizes[i] ?? 0;
  }
  return file;
}

const namesIn = (sections: readonly { readonly name: string }[]): string =>
  sections.map(({ name }) => `${name}\0`).join("");
