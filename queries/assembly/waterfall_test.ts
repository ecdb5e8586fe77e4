// SPDX-License-Identifier: Apache-2.0
// What a waterfall looks like, to the cell.

import assert from "node:assert/strict";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { assembleAll } from "./assemble_all.ts";
import { type TextStyle, waterfall } from "./waterfall.ts";

const text: TextStyle = {
  fit: (line, cells, align = "left") => {
    const cut = line.length > cells ? `${line.slice(0, cells - 1)}…` : line;
    return align === "left" ? cut.padEnd(cells) : cut.padStart(cells);
  },
  // deno-lint-ignore no-control-regex -- these are the characters to keep out
  harmless: (line) => line.replace(/[\x00-\x1f]/g, "·"),
  duration: (ns) => `${Number(ns) / 1e6}ms`,
  paint: (_style, line) => line,
};

const at = (fromMs: number, toMs: number) => ({
  start_unix_ns: BigInt(fromMs) * 1_000_000n,
  end_unix_ns: BigInt(toMs) * 1_000_000n,
});
const root = fixtureSpan({ ...at(0, 80), name: "GET /items", service: "curl" });
const web = fixtureServerOf(root, {
  ...at(0, 80),
  span_id: 2n,
  name: "GET /items",
  service: "web",
});
const call = (id: bigint, confidence: number, over = {}) =>
  fixtureSpan({
    span_id: id,
    request_seq: Number(id),
    parent_span_id: 2n,
    link_evidence: "turn",
    link_confidence: confidence,
    protocol: "redis",
    name: "GET",
    service: "web",
    pid: 11,
    ...over,
  });

const show = (spans: Parameters<typeof assembleAll>[0], options = {}) =>
  assembleAll(spans).flatMap((trace) => waterfall(trace, { text, width: 72, ...options }));

Deno.test("waterfall: tree, durations and bars on one axis", () => {
  const lines = show([root, web, call(3n, 0.99, at(10, 30)), call(4n, 0.98, at(40, 80))]);
  assert.deepEqual(lines.slice(1), [
    "curl → GET /items                       80ms ███████████████████████████",
    "└ web GET /items                        80ms ███████████████████████████",
    "  ├ web → GET                           20ms    ██████▊",
    "  └ web → GET                           40ms              █████████████▌".slice(0, 72),
  ]);
  assert.match(lines[0] ?? "", /^curl GET \/items · 80ms · 4 spans · 2 services · trace /);
});

Deno.test("waterfall: uncertain links are marked, evidence is shown on request", () => {
  const lines = show([root, web, call(3n, 0.4, at(10, 30))], { evidence: true });
  assert.match(lines[3] ?? "", /└ \? web → GET +turn 40% +20ms/);
  assert.match(lines[2] ?? "", /hop 100%/);
  assert.match(lines[4] ?? "", /1 link is uncertain/);
});

Deno.test("waterfall: time of its own and the critical path are shown beside evidence", () => {
  const spans = [root, web, call(3n, 1, at(10, 30)), call(4n, 1, at(12, 60))];
  const lines = show(spans, { evidence: true, width: 110 });
  assert.match(lines[2] ?? "", /web GET .* 80ms +30ms • /);
  assert.match(lines[3] ?? "", /20ms +20ms {3}/);
  assert.match(lines[4] ?? "", /48ms +48ms • /);
  assert.match(lines[5] ?? "", /^• the trace waited for it/);
});

Deno.test("waterfall: clocks that differ are told", () => {
  const ahead = { ...web, host: "b", ...at(10_000, 10_060) };
  const lines = show([root, ahead, call(3n, 1, { host: "b", ...at(10_010, 10_030) })]);
  assert.match(
    lines.at(-1) ?? "",
    /^clock of a is 9990ms behind b \(±10.1ms, by 1 request\): times/,
  );
  assert.match(lines[0] ?? "", /80ms · 3 spans/);
});

Deno.test("waterfall: failures name their code, control characters are shown as dots", () => {
  const failed = call(3n, 1, { ...at(1, 2), status: "server_error", response_code: 500 });
  const lines = show([root, web, failed, call(4n, 1, { ...at(3, 4), name: "a\x1b[2Jb" })]);
  assert.match(lines[3] ?? "", /web → GET 500/);
  assert.match(lines[4] ?? "", /a·\[2Jb/);
});

Deno.test("waterfall: every line fits, in any width, and long traces are cut", () => {
  const calls = Array.from({ length: 300 }, (_, i) => call(BigInt(i + 3), 1, at(i % 70, 75)));
  for (const width of [1, 40, 80, 200]) {
    const lines = show([root, web, ...calls], { width, rowsMax: 50 });
    assert.equal(lines.length, 52);
    for (const line of lines) assert.ok(line.length <= Math.max(40, width), line);
  }
});
