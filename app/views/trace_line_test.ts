// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { plainPaint } from "../cli/terminal/style.ts";
import { RecentTraces } from "./recent_traces.ts";
import { requestText } from "./request_text.ts";
import { makeRevision, makeSpan } from "./span_fixture.ts";
import { traceLine, traceLineHeader } from "./trace_line.ts";

Deno.test("a trace is one aligned line, whatever the traffic holds", () => {
  const traces = new RecentTraces();
  const resource = `/${"x".repeat(60)}\n\x1b[2J`;
  traces.add(makeRevision({ resource, status: "server_error", response_code: 502 }), 0n);
  traces.add(makeRevision({ span_id: 2n, parent_span_id: 1n, service: "redis" }), 0n);
  const [trace] = traces.unsettled();
  assert.ok(trace !== undefined);
  const line = traceLine(trace, plainPaint);
  assert.equal(line.indexOf("\n"), line.length - 1);
  assert.doesNotMatch(line.trimEnd(), /\p{Cc}/u);
  assert.match(
    line,
    /:00\.000 {4}5\.00ms {2}server_error 502 {2}orders +GET \/x+… {2}2: orders 1, redis 1\n$/,
  );
  const header = traceLineHeader(plainPaint);
  assert.equal(header.indexOf("SPANS"), line.indexOf("2: orders"));
});

Deno.test("a request is named once, in the protocol's words", () => {
  assert.equal(requestText(makeSpan({})), "GET /orders/7");
  const sql = { request_type: "SELECT", resource: "SELECT a FROM b" };
  assert.equal(requestText(makeSpan(sql)), "SELECT a FROM b");
  const bare = { request_type: "PING", resource: "", endpoint: "", name: "PING" };
  assert.equal(requestText(makeSpan(bare)), "PING");
});
