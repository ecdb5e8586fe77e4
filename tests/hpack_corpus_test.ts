// SPDX-License-Identifier: Apache-2.0
// Header blocks of many encoders: a part of hpack-test-case, or all of it where
// SPANDREL_HPACK_CORPUS names its folder. Left out are encoders of drafts before 9: they number the
// two tables in the other order, the oldest have another Huffman code as well.

import assert from "node:assert/strict";
import { HpackDecoder } from "../operators/protocols/web/http2/hpack.ts";

interface Story {
  readonly encoder: string;
  readonly story: number;
  readonly cases: readonly Block[];
}

interface Block {
  readonly wire: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const OLDEST_DRAFT = 9;
const corpus = Deno.env.get("SPANDREL_HPACK_CORPUS") ?? "";

Deno.test("HPACK: stories of conforming encoders", () => {
  const lines = Deno.readTextFileSync(new URL("golden/hpack/stories.jsonl", import.meta.url));
  const stories = lines.trim().split("\n").map((line): Story => JSON.parse(line));
  assert.ok(stories.length > 10);
  for (const story of stories) check(story);
});

Deno.test({
  name: "HPACK: the whole corpus (set SPANDREL_HPACK_CORPUS to run)",
  ignore: corpus === "",
  fn() {
    let stories = 0;
    for (const { name: encoder, isDirectory } of Deno.readDirSync(corpus)) {
      if (!isDirectory) continue;
      for (const { name } of Deno.readDirSync(`${corpus}/${encoder}`)) {
        const story = readStory(
          encoder,
          name,
          Deno.readTextFileSync(`${corpus}/${encoder}/${name}`),
        );
        if (story === null) continue;
        check(story);
        stories++;
      }
    }
    assert.ok(stories > 300, `${stories} stories`);
  },
});

function check({ encoder, story, cases }: Story): void {
  const exact = new HpackDecoder(false);
  const late = new HpackDecoder(true);
  for (const [index, { wire, headers }] of cases.entries()) {
    const bytes = Uint8Array.from(wire.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    const where = `${encoder}, story ${story}, block ${index}`;
    assert.deepEqual(decoded(exact, bytes), headers, where);
    // Who comes late but misses nothing reads the same.
    assert.deepEqual(decoded(late, bytes), headers, `${where}, as one who may have come late`);
  }
}

function decoded(decoder: HpackDecoder, bytes: Uint8Array): (string | null)[][] {
  const headers: (string | null)[][] = [];
  decoder.decode(bytes, (name, value) => headers.push([name, value]));
  return headers;
}

/** null: no story, or one of an encoder of a draft too old. */
function readStory(encoder: string, file: string, text: string): Story | null {
  if (!file.startsWith("story_")) return null;
  const { draft, cases } = JSON.parse(text);
  if (cases[0].wire === undefined || (draft ?? cases[0].draft ?? OLDEST_DRAFT) < OLDEST_DRAFT) {
    return null;
  }
  const headersOf = (list: readonly Record<string, string>[]) => list.flatMap(Object.entries);
  return {
    encoder,
    story: Number(/\d+/.exec(file)?.[0]),
    cases: cases.map((each: { wire: string; headers: Record<string, string>[] }) => ({
      wire: each.wire,
      headers: headersOf(each.headers),
    })),
  };
}
