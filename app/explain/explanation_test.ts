// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Candidate } from "../../model/link.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { buildTraces } from "../../queries/assembly/trace.ts";
import { plainPaint } from "../cli/terminal/style.ts";
import { explain } from "./explanation.ts";
import { explanationJson } from "./explanation_json.ts";
import { explanationLines } from "./explanation_lines.ts";

const asked = fixtureSpan({ span_id: 1n, end_unix_ns: 9_000_000n });
const server = fixtureServerOf(asked, { span_id: 2n, service: "shop" });
const linked = (span_id: bigint, confidence: number) =>
  fixtureSpan({
    span_id,
    service: "shop",
    protocol: "redis",
    request_type: "GET",
    resource: `k${span_id}`,
    request_seq: Number(span_id),
    parent_span_id: 2n,
    link_evidence: "turn",
    link_confidence: confidence,
    start_unix_ns: 1_200_000n,
  });
const [sure, unsure] = [linked(3n, 0.97), linked(4n, 0.4)];
const candidate = (
  span_id: bigint,
  parent_id: bigint,
  score: number,
  votes: string,
): Candidate => ({
  span_id,
  parent_id,
  evidence: "turn",
  score,
  rank: parent_id === 2n ? 0 : 1,
  votes,
  among: 7,
});
const candidates = [
  candidate(3n, 2n, 0.97, "after_request=0.97 before_answer=0.9"),
  candidate(4n, 2n, 0.4, "after_waiting=0.7 !time"),
  candidate(4n, 88n, 0.35, "after_opening=0.6"),
];
const [trace] = buildTraces([asked, server, sure, unsure]);
assert.ok(trace !== undefined);
const explained = (id: bigint) => {
  const node = trace.nodes.find(({ span }) => span.span_id === id);
  assert.ok(node !== undefined);
  return explain(node, candidates.filter(({ span_id }) => span_id === id), () => null);
};

Deno.test("an explanation names rule, margin, runner-up and what agrees", () => {
  const { rule, margin, agreeing, others, isCertain, among } = explained(3n);
  assert.deepEqual([rule, margin, others, isCertain, among], ["after_request", null, [], true, 7]);
  assert.deepEqual(agreeing.map((each) => each.rule), ["before_answer"]);
  const doubtful = explained(4n);
  assert.equal(doubtful.isCertain, false);
  assert.ok(Math.abs((doubtful.margin ?? 0) - 0.05) < 1e-9);
  assert.deepEqual(doubtful.against, ["time"]);
  assert.deepEqual(doubtful.others.map(({ spanId }) => spanId), [88n]);
});

Deno.test("a hop is explained by its rule, a root by what was not seen", () => {
  assert.equal(explained(2n).rule, "server_from_client");
  assert.match(explained(2n).because, /sequence numbers/);
  assert.match(explained(1n).because, /working on no request/);
  const alone = fixtureServerOf(asked);
  const node = buildTraces([alone])[0]?.root;
  assert.ok(node !== undefined);
  assert.match(explain(node, [], () => null).because, /sender at 127.0.0.1:40000 was not seen/);
});

Deno.test("a span without a parent says whether its likeliest one is missing or unlikely", () => {
  const because = (parent: typeof asked | null) =>
    explain({ span: sure, link: null }, [candidate(3n, 2n, 0.2, "")], () => parent).because;
  assert.match(because(null), /is not stored/);
  assert.match(because(asked), /too unlikely to be drawn/);
});

Deno.test("uncertain children are told apart, after the tree", () => {
  const options = { paint: plainPaint, width: 100 };
  const text = explanationLines(trace, ({ span }) => explained(span.span_id), options).join("\n");
  const [certain = "", uncertain = ""] = text.split("Uncertain");
  assert.match(certain, /shop → GET k3/);
  assert.doesNotMatch(certain, /k4/);
  assert.match(uncertain, /\? shop → GET k4/);
  assert.match(uncertain, /under shop GET \//);
  assert.match(uncertain, /turn 40.0%, 5.0% ahead of the next: .* \[after_waiting\]/s);
  assert.match(uncertain, /or: a request that is not stored \(0000000000000058\) 35.0%/);
  assert.match(uncertain, /or one of 5 others/);
  for (const line of text.split("\n")) assert.ok(line.length <= 110, line);
});

Deno.test("one span is told alone", () => {
  const options = { paint: plainPaint, width: 80, only: 3n };
  const text = explanationLines(trace, ({ span }) => explained(span.span_id), options).join("\n");
  assert.match(text, /GET k3/);
  assert.doesNotMatch(text, /Uncertain|k4/);
});

Deno.test("as JSON, ids are hex", () => {
  const told = JSON.parse(explanationJson(trace.traceId, explained(4n)));
  assert.equal(told.parent_span_id, "0000000000000002");
  assert.equal(told.link_rule, "after_waiting");
  assert.equal(told.is_certain, false);
  assert.equal(told.alternatives[0].span_id, "0000000000000058");
});
