// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { probeHttp } from "./http_probe.ts";

const probe = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  return probeHttp(bytes, bytes.length).kind;
};

Deno.test("http probe: a target longer than what is looked at of a connection", () => {
  const long = "x".repeat(4_000);
  assert.equal(probe(`GET /${long}`), "request");
  assert.equal(probe(`GET http://shop.test/${long}`), "request");
  assert.equal(probe(`GET ${long}`), "no");
});

Deno.test("http probe: a short line may go on", () => {
  assert.equal(probe("GET /orders?page="), "maybe");
  assert.equal(probe("GET "), "maybe");
  assert.equal(probe("GET /orders HTTP/1.1\r\n"), "request");
  assert.equal(probe("GET /orders\r\n"), "no");
});
