// SPDX-License-Identifier: Apache-2.0
// Header blocks of many encoders: hpack-test-case, all of it but for encoders of drafts before 9:
// they number the two tables in the other order, the oldest have another Huffman code as well.
//
//   {"story":0,"encoders":["go-hpack", …]}         begins a story; its blocks follow, one a line
//   {"headers":[[name, value], …],"wire":[hex, …]} by encoder; a number: the wire of that encoder

import assert from "node:assert/strict";
import { brotliDecompressSync } from "node:zlib";
import { HpackDecoder } from "../operators/protocols/web/http2/hpack.ts";

interface Start {
  readonly story: number;
  readonly encoders: readonly string[];
}

interface Block {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly wire: readonly (string | number)[];
}

const CORPUS = new URL("golden/hpack/corpus.jsonl.br", import.meta.url);

Deno.test("HPACK: the whole corpus of conforming encoders", () => {
  const text = new TextDecoder().decode(brotliDecompressSync(Deno.readFileSync(CORPUS)));
  let start: Start = { story: 0, encoders: [] };
  let decoders: HpackDecoder[][] = [];
  let stories = 0;
  for (const line of text.trim().split("\n")) {
    const entry: Start | Block = JSON.parse(line);
    if ("story" in entry) {
      start = entry;
      // Who comes late but misses nothing reads the same.
      decoders = start.encoders.map(() => [new HpackDecoder(false), new HpackDecoder(true)]);
      stories += start.encoders.length;
    } else check(start, entry, decoders);
  }
  assert.equal(stories, 350);
});

function check(start: Start, { headers, wire }: Block, decoders: HpackDecoder[][]): void {
  const expected = JSON.stringify(headers);
  for (const [index, given] of wire.entries()) {
    const hex = typeof given === "number" ? wire[given] : given;
    const bytes = Uint8Array.fromHex(`${hex}`);
    for (const decoder of decoders[index] ?? []) {
      const found: (string | null)[][] = [];
      decoder.decode(bytes, (name, value) => found.push([name, value]));
      const where = `${start.encoders[index]}, story ${start.story}`;
      assert.equal(JSON.stringify(found), expected, where);
    }
  }
}
