// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { fixtureSpan } from "../../model/span_fixture.ts";
import { plainPaint } from "../cli/terminal/style.ts";
import { blindSpotLines } from "./blind_spot_lines.ts";
import { blindReasonsOf, BlindSpots } from "./blind_spots.ts";

const tls = fixtureSpan({ service: "shop", protocol: "tls", is_tls: true });
const older = fixtureSpan({ service: "db", gaps: "older io_uring", clipped: true });

Deno.test("blind spots: the reasons that a span gives", () => {
  assert.deepEqual(blindReasonsOf(tls), ["tls"]);
  assert.deepEqual(blindReasonsOf(older), ["older", "io_uring", "clipped"]);
  assert.deepEqual(blindReasonsOf(fixtureSpan({ gaps: "unheard_of" })), []);
  assert.deepEqual(blindReasonsOf(fixtureSpan({ shape: "response_only" })), ["unanswered"]);
});

Deno.test("blind spots: spans, and traces with such spans, by service", () => {
  const spots = new BlindSpots();
  for (const span of [tls, tls, older, fixtureSpan()]) spots.addSpan(span);
  assert.deepEqual(spots.rows().map(({ reason, count, traces }) => [reason, count, traces]), [
    ["tls", 2, null],
    ["older", 1, null],
    ["io_uring", 1, null],
    ["clipped", 1, null],
  ]);
  spots.addTrace([tls, tls, older]);
  spots.addTrace([older]);
  spots.addTrace([fixtureSpan()]);
  const traces = new Map(spots.rows().map((row) => [row.reason, row.traces]));
  assert.deepEqual([traces.get("tls"), traces.get("older")], [1, 2]);
});

Deno.test("blind spots: as a table, nothing where there are none", () => {
  assert.deepEqual(blindSpotLines([], plainPaint), []);
  const spots = [
    { reason: "tls", service: "shop", count: 12_345, traces: 7 },
    { reason: "ring_full", service: "", count: 3, traces: null },
  ];
  const text = blindSpotLines(spots, plainPaint, 20).join("\n");
  assert.match(text, /^Blind spots, of 20 traces/);
  assert.match(text, /shop +12,345 +7 +encrypted/);
  assert.match(text, /– +3 +– +the kernel ring was full/);
});
