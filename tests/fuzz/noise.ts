// SPDX-License-Identifier: Apache-2.0
// Bytes that are no protocol of ours: random, text, compressed, pictures, other people's formats.

import { deflateSync, gzipSync } from "node:zlib";
import type { Random } from "../support/wire/golden_variants.ts";

export interface Noise {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

export function noise(random: Random): Noise {
  const kind = KINDS[random(KINDS.length)] ?? "random";
  return { kind, bytes: MAKERS[kind](random) };
}

const MAKERS = {
  random: (random) => fill(random, 1 + random(600), 256, 0),
  printable: (random) => fill(random, 1 + random(600), 95, 0x20),
  letters: (random) => fill(random, 1 + random(200), 26, 0x61),
  text: (random) => new TextEncoder().encode(sentence(random, 3 + random(80))),
  unicode: (random) =>
    new TextEncoder().encode(
      Array.from({ length: 5 + random(150) }, () => String.fromCodePoint(letter(random))).join(""),
    ),
  gzip: (random) => new Uint8Array(gzipSync(sentence(random, 20 + random(100)))),
  zlib: (random) => new Uint8Array(deflateSync(sentence(random, 20 + random(100)))),
  png: (random) =>
    joined(
      [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
      fill(random, 400, 256, 0),
    ),
  ssh: (random) =>
    joined(
      [...new TextEncoder().encode(`SSH-2.0-OpenSSH_9.${random(10)}\r\n`), 0, 0, 4, 0x14, 6, 20],
      fill(random, 300, 256, 0),
    ),
  little_numbers: (random) => numbers(random, true),
  big_numbers: (random) => numbers(random, false),
  zeros: (random) => new Uint8Array(1 + random(200)),
  json: (random) =>
    new TextEncoder().encode(`{"${sentence(random, 1)}":${random(1_000)},"b":[${random(9)}]}`),
} satisfies Record<string, (random: Random) => Uint8Array>;

type Kind = keyof typeof MAKERS;
const KINDS = Object.keys(MAKERS) as Kind[];

const fill = (random: Random, length: number, range: number, from: number) =>
  Uint8Array.from({ length }, () => from + random(range));

const joined = (head: readonly number[], tail: Uint8Array) => Uint8Array.from([...head, ...tail]);

/** Small numbers in two or four bytes: what binary formats of all kinds look like. */
function numbers(random: Random, little: boolean): Uint8Array {
  const count = 2 + random(60);
  const view = new DataView(new ArrayBuffer(count * 4));
  const wide = random(2) === 0;
  for (let i = 0; i < count; i++) {
    if (wide) view.setUint32(i * 4, random(300), little);
    else view.setUint16(i * 4, random(300), little);
  }
  return new Uint8Array(view.buffer);
}

/** Latin, Greek, Cyrillic, Han. */
function letter(random: Random): number {
  const [from = 0x41, count = 26] =
    [[0x41, 58], [0x391, 60], [0x410, 64], [0x4e00, 2_000]][random(4)] ?? [];
  return from + random(count);
}

const WORDS = (
  "the of and to in user error info get post set list item value time service request message " +
  "open close start end data file name key key2 id 42 2026-11-22 12:00:01 ok failed connect select"
).split(" ");

function sentence(random: Random, words: number): string {
  const marks = [" ", " ", " ", ", ", ". ", "\n", "\r\n", ": "];
  return Array.from(
    { length: words },
    () => `${WORDS[random(WORDS.length)]}${marks[random(marks.length)]}`,
  ).join("").trim();
}
