// SPDX-License-Identifier: Apache-2.0

import { deepEqual } from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import type { Column } from "../../model/span.ts";
import { encodeRows } from "./encode_rows.ts";

/** What an Arrow reader sees. */
function decode(ipc: Uint8Array): Record<string, unknown>[] {
  return tableFromIPC(ipc, { useBigInt: true }).toArray();
}

const column = (type: Column["type"]): Column => ({ type, doc: "" });

Deno.test("encode rows: values and nulls of every type", () => {
  const columns = {
    id: column("id"),
    parent: column("id?"),
    at: column("unix_ns"),
    seq: column("u32?"),
    code: column("i32?"),
    bytes: column("u64"),
    score: column("f32"),
    tls: column("bool"),
    kind: column("enum"),
    text: column("text"),
    other: column("text?"),
    attributes: column("attributes"),
  };
  const rows = [
    {
      id: 2n ** 64n - 1n,
      parent: null,
      at: -1n,
      seq: 2 ** 32 - 1,
      code: -7,
      bytes: 2 ** 53 - 1,
      score: 0.5,
      tls: true,
      kind: "a",
      text: "ASCII",
      other: null,
      attributes: { n: 1 },
    },
    {
      id: 0n,
      parent: 5n,
      at: 1_700_000_000_000_000_001n,
      seq: null,
      code: null,
      bytes: 7n,
      score: 0,
      tls: false,
      kind: "ü",
      text: "",
      other: "🎈",
      attributes: {},
    },
  ];
  const packed = rows.map((row) => ({ ...row, attributes: JSON.stringify(row.attributes) }));
  const expected = packed.map((row) => ({ ...row, bytes: BigInt(row.bytes) }));
  deepEqual(decode(encodeRows(columns, rows)), expected);
});

Deno.test("encode rows: broken surrogate pairs do not shift what follows", () => {
  const rows = ["\ud83c", "\udf88", "é", "plain"].map((text) => ({ text }));
  const texts = decode(encodeRows({ text: column("text") }, rows)).map(({ text }) => text);
  deepEqual(texts, ["\ufffd", "\ufffd", "é", "plain"]);
});

Deno.test("encode rows: a dictionary holds each value once, in every length of batch", () => {
  for (const length of [1, 2, 7, 8, 9, 64, 1000]) {
    const rows = Array.from({ length }, (_, i) => ({ kind: `value ${i % 5}`, even: i % 2 === 0 }));
    const ipc = encodeRows({ kind: column("label"), even: column("bool") }, rows);
    deepEqual(decode(ipc), rows);
    deepEqual(new TextDecoder("latin1").decode(ipc).split("value 0").length, 2);
  }
});
