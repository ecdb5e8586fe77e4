// SPDX-License-Identifier: Apache-2.0
// The examples of FIPS 197 and RFC 9001, and Node's own implementations on random bytes.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv, createHash, createHmac } from "node:crypto";
import { decryptGcm, encryptBlock, expandKey } from "./aes.ts";
import { expandLabel, hmacSha256, sha256 } from "./sha256.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

Deno.test("AES-128: the example of FIPS 197", () => {
  const block = hex("00112233445566778899aabbccddeeff");
  encryptBlock(expandKey(hex("000102030405060708090a0b0c0d0e0f")), block);
  assert.equal(block.toHex(), "69c4e0d86a7b0430d8cdb78070b4c55a");
});

Deno.test("SHA-256 and HMAC agree with Node's, at every length around a block", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length & 0xff);
    assert.equal(sha256(bytes).toHex(), createHash("sha256").update(bytes).digest("hex"));
    const mac = createHmac("sha256", bytes).update(bytes).digest("hex");
    assert.equal(hmacSha256(bytes, bytes).toHex(), mac);
  }
});

Deno.test("GCM's text agrees with Node's", () => {
  const key = hex("feffe9928665731c6d6a8f9467308308");
  const nonce = hex("cafebabefacedbaddecaf888");
  const text = Uint8Array.from({ length: 77 }, (_, i) => i);
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  const encrypted = Buffer.concat([cipher.update(text), cipher.final()]);
  assert.deepEqual(decryptGcm(expandKey(key), nonce, new Uint8Array(encrypted)), text);
});

Deno.test("keys of the example of RFC 9001, A.1", () => {
  const salt = hex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
  const initial = hmacSha256(salt, hex("8394c8f03e515708"));
  const client = expandLabel(initial, "client in", 32);
  assert.equal(expandLabel(client, "quic key", 16).toHex(), "1f369613dd76d5467730efcbe3b1a22d");
  assert.equal(expandLabel(client, "quic iv", 12).toHex(), "fa044b2f42a3fd3b46fb255c");
  assert.equal(expandLabel(client, "quic hp", 16).toHex(), "9f50449e04a0e810283a1e9933adedd2");
});
