// SPDX-License-Identifier: Apache-2.0
// Header values → identities.

import assert from "node:assert/strict";
import fc from "fast-check";
import { IdentityReader } from "./trace_context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const SW8 = `1-${btoa("trace.1")}-${btoa("segment.2")}-3-${btoa("svc")}-a-b-c`;
const SKY = { traceId: "trace.1", parentId: "segment.2-3" };

function identityOf(headers: Record<string, string>) {
  const reader = new IdentityReader();
  for (const [name, value] of Object.entries(headers)) reader.add(name, value);
  return reader.identity();
}

Deno.test("reads each format", () => {
  const context = { traceId: TRACE, parentId: SPAN };
  assert.deepEqual(identityOf({ traceparent: `00-${TRACE}-${SPAN}-01` }), context);
  assert.deepEqual(identityOf({ b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }), context);
  assert.deepEqual(identityOf({ "x-b3-traceid": TRACE, "x-b3-spanid": SPAN }), context);
  assert.deepEqual(identityOf({ "x-b3-traceid": TRACE }), { traceId: TRACE });
  assert.deepEqual(identityOf({ "x-b3-traceid": TRACE, sw8: SW8 }), SKY);
  assert.deepEqual(identityOf({ "uber-trace-id": `${TRACE}:${SPAN}:0:1` }), context);
  assert.deepEqual(identityOf({ sw8: SW8 }), SKY);
  assert.deepEqual(identityOf({ "x-request-id": "abc" }), { requestId: "abc" });
});

Deno.test("W3C wins, a request id joins it", () => {
  const headers = {
    "uber-trace-id": "1:2:0:1",
    traceparent: `00-${TRACE}-${SPAN}-01`,
    "x-request-id": "r1",
  };
  assert.deepEqual(identityOf(headers), { traceId: TRACE, parentId: SPAN, requestId: "r1" });
});

Deno.test("refuses ids of zeros and what is not hex", () => {
  assert.equal(identityOf({ traceparent: `00-${"0".repeat(32)}-${SPAN}-01` }), null);
  assert.equal(identityOf({ traceparent: `00-${"x".repeat(32)}-${SPAN}-01` }), null);
  assert.equal(identityOf({ b3: "0" }), null);
});

Deno.test("no value throws", () => {
  const names = ["traceparent", "b3", "uber-trace-id", "sw8", "sw3", "sw6", "x-b3-traceid"];
  fc.assert(fc.property(fc.constantFrom(...names), fc.string(), (name, value) => {
    identityOf({ [name]: value });
  }));
});
