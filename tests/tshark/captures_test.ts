// SPDX-License-Identifier: Apache-2.0
// Captures of real servers and client libraries, recorded and exported by this program, with what
// tshark made of them: without tshark, root or servers. UPDATE_GOLDEN=1 asks tshark again.

import assert from "node:assert/strict";
import { compare } from "./compare.ts";
import { dissect } from "./dissect.ts";
import { expectationText, readExpectations } from "./expectation.ts";
import { ourLanes, serversOf } from "./our_lanes.ts";
import { readerOf } from "./readers/readers.ts";

const folder = new URL("captures/", import.meta.url).pathname;
const names = [...Deno.readDirSync(folder)].flatMap(({ name }) =>
  name.endsWith(".pcapng") ? [name.replace(/\.pcapng$/, "")] : []
);

const all = { stated: 0, argued: 0 };

for (const name of names.sort()) {
  Deno.test(`tshark's dissection of ${name} and ours agree`, async () => {
    const ours = await ourLanes(`${folder}${name}.pcapng`);
    if (Deno.env.get("UPDATE_GOLDEN") === "1") await update(name, ours);
    const expected = readExpectations(Deno.readTextFileSync(`${folder}${name}.jsonl`));
    assert.ok(expected.size > 0);
    for (const [protocol, lanes] of expected) {
      const { stated, disagreements } = compare(protocol, lanes, ours.get(protocol) ?? new Map());
      assert.ok(stated > 5, "there is something to compare");
      assert.deepEqual(disagreements.filter(({ verdict }) => verdict === null), []);
      all.stated += stated;
      all.argued += disagreements.length;
    }
  });
}

Deno.test("few of tshark's facts and fields are argued with", () => {
  assert.ok(all.argued <= 0.01 * all.stated, `${all.argued} of ${all.stated}`);
});

async function update(name: string, ours: Awaited<ReturnType<typeof ourLanes>>): Promise<void> {
  let text = "";
  for (const [protocol, lanes] of ours) {
    const reader = readerOf(protocol);
    if (reader === undefined) continue;
    const path = `${folder}${name}.pcapng`;
    text += expectationText({ protocol, lanes: await dissect(path, reader, serversOf(lanes)) });
  }
  Deno.writeTextFileSync(`${folder}${name}.jsonl`, text);
}
