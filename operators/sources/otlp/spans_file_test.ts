// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readSpansFile, readSpansText } from "./spans_file.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const plain = {
  traceId,
  spanId: "00f067aa0ba902b7",
  parentSpanId: "a3ce929d0e0e4736",
  name: "GET /orders/{id}",
  kind: 2,
  startTimeUnixNano: "1700000000000000001",
  endTimeUnixNano: "1700000000005000000",
  attributes: [
    { key: "http.request.method", value: { stringValue: "GET" } },
    { key: "url.path", value: { stringValue: "/orders/7" } },
    { key: "http.response.status_code", value: { intValue: "503" } },
    { key: "retries", value: { doubleValue: 1.5 } },
    { key: "cached", value: { boolValue: false } },
    { key: "tags", value: { arrayValue: { values: [{ stringValue: "a" }] } } },
  ],
  status: { code: 2 },
};
const resource = {
  attributes: [
    { key: "service.name", value: { stringValue: "orders" } },
    { key: "process.pid", value: { intValue: "812" } },
    { key: "host.name", value: { stringValue: "web-1" } },
  ],
};
const documentOf = (...spans: unknown[]) => ({
  resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "x" }, spans }] }],
});
const read = (...spans: unknown[]) => readSpansText(JSON.stringify(documentOf(...spans)), "f");

Deno.test("otlp: a span with ids, times, who it was and what it asked for", () => {
  const [span] = read(plain).spans;
  assert.ok(span !== undefined);
  assert.equal(span.span_id, 0x00f067aa0ba902b7n);
  assert.equal(span.parent_span_id, 0xa3ce929d0e0e4736n);
  assert.deepEqual([span.trace_id_header, span.parent_id_header], [traceId, "a3ce929d0e0e4736"]);
  assert.equal(span.start_unix_ns, 1_700_000_000_000_000_001n);
  assert.deepEqual([span.observer, span.kind, span.service, span.pid, span.host], [
    "app",
    "server",
    "orders",
    812,
    "web-1",
  ]);
  assert.deepEqual([span.protocol, span.request_type, span.resource, span.response_code], [
    "http",
    "GET",
    "/orders/7",
    503,
  ]);
  assert.equal(span.status, "server_error");
  const { retries, cached, tags } = span.attributes;
  assert.deepEqual([retries, cached], [1.5, false]);
  assert.match(String(tags), /"a"/);
});

Deno.test("otlp: names of kinds, older names of fields, base64 ids, numbers as times", () => {
  const base64 = (hex: string) => btoa(String.fromCharCode(...Uint8Array.fromHex(hex)));
  const { spans, malformed } = read(
    { ...plain, kind: "SPAN_KIND_CLIENT", status: { code: "STATUS_CODE_OK" }, attributes: [] },
    { ...plain, traceId: base64(traceId), spanId: base64(plain.spanId), parentSpanId: "" },
    { ...plain, startTimeUnixNano: 1_700_000_000_000_000_000, traceId: traceId.toUpperCase() },
  );
  assert.equal(malformed, 0);
  assert.deepEqual(spans.map(({ kind }) => kind), ["client", "server", "server"]);
  assert.deepEqual(spans.map(({ trace_id_header: id }) => id), [traceId, traceId, traceId]);
  assert.deepEqual([spans[0]?.status, spans[0]?.response_code], ["ok", null]);
  assert.deepEqual([spans[1]?.parent_span_id, spans[1]?.link_confidence], [null, 0]);
  const [own] = read({ ...plain, parentSpanId: plain.spanId }).spans;
  assert.deepEqual([own?.parent_span_id, own?.parent_id_header], [null, null]);
  const older = {
    resourceSpans: [{ instrumentationLibrarySpans: [{ spans: [plain] }] }],
  };
  assert.equal(readSpansText(JSON.stringify(older), "f").spans.length, 1);
});

Deno.test("otlp: spans without ids or times are counted, not taken", () => {
  const bad = [
    { ...plain, spanId: "0000000000000000" },
    { ...plain, spanId: "12" },
    { ...plain, traceId: 5 },
    { ...plain, startTimeUnixNano: "yesterday" },
    { ...plain, endTimeUnixNano: "1" },
    { ...plain, startTimeUnixNano: 1e40 },
    { ...plain, endTimeUnixNano: "9223372036854775807" },
    null,
    "x",
  ];
  const { spans, malformed } = read(...bad, plain);
  assert.deepEqual([spans.length, malformed], [1, bad.length]);
});

Deno.test("otlp: values of another type, very long or very deep, keep no span out", () => {
  const odd = { toString: 1, valueOf: 1 };
  const depth = 100_000;
  const text = JSON.stringify(documentOf({
    ...plain,
    kind: odd,
    attributes: [
      { key: "odd", value: { intValue: odd } },
      { key: "long", value: { stringValue: "x".repeat(1_000_000) } },
      { key: "deep", value: { arrayValue: "DEEP" } },
    ],
  })).replace('"DEEP"', "[".repeat(depth) + "]".repeat(depth));
  const [span] = readSpansText(text, "f").spans;
  assert.equal(span?.kind, "internal");
  const { odd: taken, long, deep } = span?.attributes ?? {};
  assert.equal(taken, undefined);
  assert.deepEqual([String(long).length, String(deep).length <= 4_096], [4_096, true]);
});

Deno.test("otlp: one document on each line; lines that are none are counted", () => {
  const line = JSON.stringify(documentOf(plain));
  const text = `${line}\n\n{"resourceSpans":\n${line}\n{"logs":1}\n`;
  const { spans, linesMalformed } = readSpansText(text, "f");
  assert.deepEqual([spans.length, linesMalformed], [2, 2]);
  assert.equal(readSpansText(`[${line},${line}]`, "f").spans.length, 2);
  assert.equal(readSpansText(`{"resourceSpans":[]}`, "f").spans.length, 0);
});

Deno.test("otlp: a file with nothing to read is refused in one sentence", () => {
  const refused = (text: string, reason: RegExp) =>
    assert.throws(() => readSpansText(text, "spans.json"), reason);
  refused("", /^Error: Cannot read spans from spans.json: is not JSON/);
  refused("hello\nworld", /line 1 is not JSON .*give OTLP\/JSON/);
  refused(`{"traces":[]}`, /it has no resourceSpans/);
  refused(`{"a":1}\n{"b":2}`, /line 1 has no resourceSpans/);
  assert.throws(() => readSpansFile("/nowhere/spans.json"), /there is no such file/);
});
