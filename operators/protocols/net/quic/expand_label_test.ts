// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { expandLabel, extract } from "./expand_label.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const textOf = (bytes: Uint8Array) => new Uint8Array(bytes).toHex();

Deno.test("keys of the example of RFC 9001, A.1", () => {
  const salt = hex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
  const initial = extract(salt, hex("8394c8f03e515708"));
  const client = expandLabel(initial, "client in", 32);
  assert.equal(textOf(expandLabel(client, "quic key", 16)), "1f369613dd76d5467730efcbe3b1a22d");
  assert.equal(textOf(expandLabel(client, "quic iv", 12)), "fa044b2f42a3fd3b46fb255c");
  assert.equal(textOf(expandLabel(client, "quic hp", 16)), "9f50449e04a0e810283a1e9933adedd2");
});
