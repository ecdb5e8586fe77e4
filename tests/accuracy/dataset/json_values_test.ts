// SPDX-License-Identifier: Apache-2.0
// Values are the same however the bytes are cut.

import assert from "node:assert/strict";
import { jsonValues } from "./json_values.ts";

async function valuesOf(text: string, chunkBytes = 3): Promise<unknown[]> {
  const bytes = new TextEncoder().encode(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    chunks.push(bytes.subarray(at, at + chunkBytes));
  }
  return await Array.fromAsync(jsonValues(ReadableStream.from(chunks)));
}

Deno.test("json_values: elements of a list, lines, one value; cut anywhere", async () => {
  const values = [{ a: [1, { b: '}],"é' }], c: null }, { d: {} }];
  const lines = values.map((value) => JSON.stringify(value)).join("\n");
  for (const chunkBytes of [1, 2, 3, 7, 1_000]) {
    assert.deepEqual(await valuesOf(JSON.stringify(values), chunkBytes), values);
    assert.deepEqual(await valuesOf(JSON.stringify(values, null, 2), chunkBytes), values);
    assert.deepEqual(await valuesOf(`${lines}\n`, chunkBytes), values);
    assert.deepEqual(await valuesOf(lines, chunkBytes), values);
  }
  assert.deepEqual(await valuesOf(" [ ] "), []);
  assert.deepEqual(await valuesOf('[7, "x", {}]'), [7, "x", {}]);
  assert.deepEqual(await valuesOf("7"), [7]);
});

Deno.test("json_values: nothing, half of something, nonsense", async () => {
  await assert.rejects(valuesOf(""), /it is empty/);
  await assert.rejects(valuesOf('[{"a": 1}, {"b"'), /ends in the middle/);
  await assert.rejects(valuesOf('["a'), /ends in the middle/);
  await assert.rejects(valuesOf('[{"a": 1}'), /ends in the middle/);
  await assert.rejects(valuesOf("{x}"), SyntaxError);
});
