// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { buildTraces, type Trace } from "../../queries/assembly/trace.ts";
import { SPAN_COLUMNS } from "../../model/span.ts";
import { FIXTURE_START_NS, makeSpan } from "../views/span_fixture.ts";
import { chromeJson } from "./chrome_json.ts";
import { otlpJson } from "./otlp_json.ts";
import { spanLine } from "./span_json.ts";
import { documentOf, type TraceWriter } from "./trace_writer.ts";
import { tracedLines } from "./traced_lines.ts";

const child = makeSpan({
  span_id: 0xabn,
  parent_span_id: 1n,
  link_evidence: "thread",
  link_confidence: 0.987654,
  kind: "client",
  protocol: "postgresql",
  name: "SELECT stock",
  request_type: "SELECT",
  resource: "SELECT amount FROM stock WHERE product = ?",
  domain: "shop",
  endpoint: "SELECT stock",
  response_code: null,
  status: "timeout",
  start_unix_ns: FIXTURE_START_NS + 1_000_000n,
  end_unix_ns: FIXTURE_START_NS + 3_000_000n,
  local: "127.0.0.1:50001",
  peer: "[::1]:5432",
  socket_id: 2n ** 60n + 1n,
  message_key: 6n,
  attributes: { rows: 3, cached: false, note: 'a"b\n' },
});
const traces = buildTraces([makeSpan({}), child]);

const textOf = (writer: TraceWriter, traces: readonly Trace[]) =>
  [...documentOf(writer, traces)].join("");

Deno.test("a span is one line with every column, ids in hex, times and ids as text", () => {
  const line = spanLine(child);
  assert.equal(line.indexOf("\n"), line.length - 1);
  const parsed = JSON.parse(line);
  assert.deepEqual(new Set(Object.keys(parsed)), new Set(Object.keys(SPAN_COLUMNS)));
  assert.equal(parsed.span_id, "00000000000000ab");
  assert.equal(parsed.parent_span_id, "0000000000000001");
  assert.equal(parsed.start_unix_ns, String(child.start_unix_ns));
  assert.equal(parsed.socket_id, "1152921504606846977");
  assert.equal(parsed.bytes_request, 120);
  assert.equal(parsed.link_confidence, 0.9877);
  assert.deepEqual(parsed.attributes, child.attributes);
});

Deno.test("spans of one connection differ in their lines where they differ in a column", () => {
  const before = spanLine(child);
  for (const name of Object.keys(SPAN_COLUMNS)) {
    const value: unknown = child[name as keyof typeof child];
    const isNumber = /^[iu]32/.test(SPAN_COLUMNS[name as keyof typeof child].type);
    const other = typeof value === "bigint"
      ? value + 1n
      : isNumber || typeof value === "number"
      ? Number(value) + 1
      : "x";
    const after = spanLine({ ...child, [name]: other });
    assert.notEqual(after, before, name);
    assert.notDeepEqual(JSON.parse(after)[name], JSON.parse(before)[name]);
    assert.equal(spanLine(child), before);
  }
});

Deno.test("a span without parent has no parent_span_id in the stream, null in a trace", () => {
  assert.equal("parent_span_id" in JSON.parse(spanLine(makeSpan({}))), false);
  const [root, leaf] = textOf(tracedLines(), traces).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.equal(root.parent_span_id, null);
  assert.match(root.trace_id, /^[0-9a-f]{32}$/);
  assert.equal(leaf.trace_id, root.trace_id);
  assert.equal(leaf.parent_span_id, root.span_id);
  assert.equal(leaf.link_evidence, "thread");
  assert.deepEqual([root.self_time_ns, leaf.self_time_ns], ["3000000", "2000000"]);
  assert.deepEqual([root.is_critical, leaf.is_critical], [true, true]);
});

Deno.test("OTLP: hex ids, kinds, names of the semantic conventions, a resource per service", () => {
  const spans = [makeSpan({}), child, makeSpan({ span_id: 3n, service: "other" })];
  const document = JSON.parse(textOf(otlpJson(), buildTraces(spans)));
  assert.equal(document.resourceSpans.length, 2);
  const [{ resource, scopeSpans }] = document.resourceSpans;
  assert.ok(
    resource.attributes.some((pair: { key: string; value: { stringValue: string } }) =>
      pair.key === "service.name" && pair.value.stringValue === "orders"
    ),
  );
  const [root, leaf] = scopeSpans[0].spans;
  assert.match(root.traceId, /^[0-9a-f]{32}$/);
  assert.equal(root.spanId, "0000000000000001");
  assert.equal(root.kind, 2);
  assert.deepEqual(root.status, {});
  assert.equal(leaf.parentSpanId, root.spanId);
  assert.equal(leaf.kind, 3);
  assert.equal(leaf.status.code, 2);
  assert.equal(leaf.startTimeUnixNano, String(child.start_unix_ns));
  const attributes = new Map<string, unknown>(
    leaf.attributes.map((
      { key, value }: { key: string; value: object },
    ) => [key, Object.values(value)[0]]),
  );
  assert.equal(attributes.get("db.system.name"), "postgresql");
  assert.equal(attributes.get("db.namespace"), "shop");
  assert.equal(attributes.get("db.query.text"), child.resource);
  assert.equal(attributes.get("server.address"), "::1");
  assert.equal(attributes.get("server.port"), "5432");
  assert.equal(attributes.get("error.type"), "timeout");
  assert.equal(attributes.get("postgresql.cached"), false);
  assert.equal(attributes.get("spandrel.self_time_ns"), "2000000");
  assert.equal(attributes.get("spandrel.is_critical"), true);
});

Deno.test("OTLP: a delivery is linked with its publication, beside being its child", () => {
  const published = makeSpan({ protocol: "nats", kind: "producer", message_key: 6n });
  const delivered = makeSpan({
    span_id: 0xacn,
    parent_span_id: 1n,
    kind: "producer",
    link_evidence: "message",
    link_confidence: 0.98,
    message_key: 7n,
  });
  const document = JSON.parse(textOf(otlpJson(), buildTraces([published, delivered])));
  const spans = document.resourceSpans[0].scopeSpans[0].spans;
  const typed = { key: "messaging.operation.type", value: { stringValue: "send" } };
  assert.equal(JSON.stringify(spans[0].attributes).includes(JSON.stringify(typed)), true);
  const [link, ...others] = spans[1].links;
  assert.deepEqual([link.spanId, link.traceId], [spans[0].spanId, spans[0].traceId]);
  assert.deepEqual([others, "links" in spans[0]], [[], false]);
});

Deno.test("Chrome: slices with microseconds, services as processes, an arrow per link", () => {
  const { traceEvents } = JSON.parse(textOf(chromeJson(), traces));
  const phases = (ph: string) =>
    traceEvents.filter((event: { ph: string; pid: number }) => event.ph === ph && event.pid > 0);
  assert.equal(phases("X").length, 2);
  assert.deepEqual([phases("s").length, phases("f").length], [1, 1]);
  assert.deepEqual(phases("M").map(({ args }: { args: unknown }) => args), [{ name: "orders" }]);
  const [root, leaf] = phases("X");
  assert.deepEqual([root.ts, root.dur, leaf.ts, leaf.dur], [0, 5_000, 1_000, 2_000]);
  assert.notEqual(root.tid, leaf.tid);
});

Deno.test("several batches make one document", () => {
  const [a, b] = [traces, buildTraces([makeSpan({ span_id: 9n, service: "other" })])];
  for (const open of [otlpJson, chromeJson]) {
    const writer = open();
    const text = writer.begin(FIXTURE_START_NS) +
      [...writer.write(a), ...writer.write(b)].join("") +
      writer.end();
    assert.match(text, /0000000000000009/);
    assert.doesNotThrow(() => JSON.parse(text), text);
  }
});

Deno.test("formats of no trace are whole documents", () => {
  assert.deepEqual(JSON.parse(textOf(otlpJson(), [])), { resourceSpans: [] });
  assert.equal(JSON.parse(textOf(chromeJson(), [])).traceEvents.length, 1);
  assert.equal(textOf(tracedLines(), []), "");
});
