// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { cellsOf } from "../terminal/cell_text.ts";
import { colourPaint, plainPaint } from "../terminal/style.ts";
import { RecentTraces } from "../../views/recent_traces.ts";
import { ServiceStats } from "../../views/service_stats.ts";
import { FIXTURE_START_NS, makeRevision } from "../../views/span_fixture.ts";
import { layOut } from "./layout.ts";
import type { LiveData } from "./live_data.ts";
import { FIRST_STATE, type ViewState } from "./view_state.ts";

const SIZE = { columns: 100, rows: 24 };

function sampleData(changes: Partial<LiveData["vitals"]> = {}): LiveData {
  const [traces, stats] = [new RecentTraces(), new ServiceStats()];
  for (let i = 1; i <= 30; i++) {
    const revision = makeRevision({
      span_id: BigInt(i),
      service: i % 3 === 0 ? "nginx" : "orders",
      resource: `/orders/${i}`,
      status: i % 10 === 0 ? "server_error" : "ok",
      response_code: i % 10 === 0 ? 502 : 200,
      start_unix_ns: FIXTURE_START_NS + BigInt(i) * 1_000_000n,
      end_unix_ns: FIXTURE_START_NS + BigInt(i) * 3_000_000n,
    });
    traces.add(revision, 0n);
    stats.add(revision, 0n);
  }
  return {
    scope: "whole host",
    services: stats.rows(10_000_000_000n),
    newest: traces.newest(50, () => true),
    slowest: traces.slowest(50, () => true),
    vitals: {
      eventsPerS: 1_234,
      cpuShare: 0.032,
      memoryBytes: 121e6,
      spans: 30,
      expired: 0,
      path: "fast path",
      drops: [],
      notice: "",
      ...changes,
    },
  };
}

const NO_PAGES = { waterfall: () => null, graph: () => [] };

const draw = (state: Partial<ViewState>, data = sampleData(), size = SIZE) =>
  layOut({ ...FIRST_STATE, ...state }, data, size, plainPaint, {
    waterfall: (id) => [`waterfall of ${id}`],
    graph: () => ["the graph"],
  });

Deno.test("the picture fills the screen exactly, at any size", () => {
  for (const columns of [20, 60, 80, 100, 220]) {
    for (const rows of [3, 8, 14, 15, 24, 60]) {
      const { lines } = draw({}, sampleData(), { columns, rows });
      assert.equal(lines.length, rows);
      if (columns < 60) continue;
      for (const line of lines) assert.ok(cellsOf(line) <= columns, `${columns}: ${line}`);
    }
  }
});

Deno.test("services, traces and footer are all there", () => {
  const text = draw({}).lines.join("\n");
  for (
    const part of [
      "whole host",
      "SERVICE",
      "REQ/S▼",
      "Newest traces (30)",
      "Slowest traces (30)",
      "1,234 events/s · no drops · cpu 3.2% · mem 121 MB · 30 spans · fast path",
      "? help  q quit",
    ]
  ) assert.ok(text.includes(part), `${part} is missing in\n${text}`);
});

Deno.test("drops and notices have lines of their own, and only then", () => {
  assert.ok(!draw({}).lines.join("\n").includes("dropped"));
  const drops = [{ reason: "ring_full", count: 1_200 }, { reason: "late", count: 0 }];
  const { lines } = draw({}, sampleData({ drops, notice: "the store is full" }));
  assert.equal(lines.at(-2)?.trim(), "dropped: 1,200 ring full");
  assert.equal(lines.at(-3)?.trim(), "the store is full");
});

Deno.test("the graph and the help take the lists' place", () => {
  assert.match(draw({ isGraphShown: true }).lines.join("\n"), /^the graph +$/m);
  assert.match(draw({ isHelpShown: true }).lines.join("\n"), /sort by another column/);
});

Deno.test("the filter takes effect in every list", () => {
  const { lines, shown } = draw({ filter: "NGINX", pane: "newest" });
  assert.equal(shown.ids.length, 10);
  assert.ok(lines[0]?.includes("filter: NGINX"));
  assert.ok(!lines.join("\n").includes("orders "));
});

Deno.test("every column sorts, both ways", () => {
  for (let column = 0; column < 8; column++) {
    const sorted = (descending: boolean) =>
      draw({ sorting: { ...FIRST_STATE.sorting, services: { column, descending } } }).shown.ids;
    const [up, down] = [sorted(false), sorted(true)];
    assert.equal(up.length, 2);
    if (column === 0) assert.deepEqual([up, down], [["nginx", "orders"], ["orders", "nginx"]]);
  }
  const slowest = draw({ pane: "slowest" }).shown.ids;
  assert.equal(slowest[0], "000000000000001e");
});

Deno.test("the chosen row stays in sight", () => {
  const state = { pane: "newest" as const, chosen: { id: "0000000000000001", index: 29 } };
  const text = draw(state).lines.join("\n");
  assert.ok(text.includes("/orders/1\n") || /\/orders\/1\s/.test(text), text);
});

Deno.test("an opened trace takes the lists' place and scrolls", () => {
  const { lines, shown } = layOut(
    { ...FIRST_STATE, opened: { id: "1", scroll: 70 } },
    sampleData(),
    SIZE,
    plainPaint,
    { waterfall: () => Array.from({ length: 60 }, (_, i) => `line ${i}`), graph: () => [] },
  );
  assert.equal(shown.scrollMax, 60 - 22);
  assert.equal(lines[1], "line 38");
  assert.equal(lines[22], "line 59");
});

Deno.test("texts of the traffic cannot steer the terminal", () => {
  const traces = new RecentTraces();
  traces.add(makeRevision({ resource: "/\x1b]0;owned\x07\x1b[2J", service: "a\nb" }), 0n);
  const data = { ...sampleData(), newest: traces.newest(9, () => true) };
  const codes = layOut(FIRST_STATE, data, SIZE, colourPaint, NO_PAGES).lines.join("")
    // deno-lint-ignore no-control-regex -- our own colours are taken out, others must not be left
    .replace(/\x1b\[\d+m/g, "");
  assert.doesNotMatch(codes, /\p{Cc}/u);
});
