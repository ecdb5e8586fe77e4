// SPDX-License-Identifier: Apache-2.0
// Header blocks of the HPACK corpus, and a pass over them. tests/hpack_corpus_test.ts describes it.

import { brotliDecompressSync } from "node:zlib";
import { HpackDecoder } from "../../../operators/protocols/web/http2/hpack.ts";

/** The first stories of all encoders: as much as a pass should take. */
const STORIES_MAX = 4;

type Line =
  | { readonly story: number; readonly encoders: readonly string[] }
  | { readonly wire: readonly (string | number)[] };

/** Blocks of each encoder and story: one direction of one connection. */
export function hpackBlocks(): Uint8Array[][] {
  const file = new URL("../../golden/hpack/corpus.jsonl.br", import.meta.url);
  const text = new TextDecoder().decode(brotliDecompressSync(Deno.readFileSync(file)));
  const stories: Uint8Array[][] = [];
  let blocks: Uint8Array[][] = [];
  let begun = 0;
  for (const json of text.split("\n")) {
    const line: Line = JSON.parse(json);
    if ("story" in line) {
      if (++begun > STORIES_MAX) return stories;
      blocks = line.encoders.map(() => []);
      stories.push(...blocks);
    } else {
      for (const [encoder, wire] of line.wire.entries()) {
        const hex = typeof wire === "number" ? line.wire[wire] : wire;
        blocks[encoder]?.push(Uint8Array.fromHex(`${hex}`));
      }
    }
  }
  return stories;
}

export function passBlocks(stories: readonly (readonly Uint8Array[])[]): void {
  for (const blocks of stories) {
    const decoder = new HpackDecoder(false);
    for (const block of blocks) decoder.decode(block, ignore);
  }
}

const ignore = () => {};
