// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { Flow, graphOf } from "./flow.ts";
import type { JoinOperator, Operator } from "./operator.ts";
import { printGraph, printMermaid } from "./print_graph.ts";
import type { NodeMeter, Snapshot } from "./runtime/meters.ts";
import { discard } from "./sink.ts";
import { fromArray } from "./source.ts";

const idle = { advance() {}, end() {}, held: () => 0 };
const named = (name: string, limits: string[] = []): Operator<number, number, void, number> => ({
  name,
  limits,
  open: (_, { emit }) => ({ ...idle, push: emit }),
});
const link: JoinOperator<number, number, number> = {
  name: "link",
  limits: [],
  open: (_, { emit }) => ({ ...idle, left: emit, right: emit }),
};

function shopGraph() {
  const [data, facts] = Flow.of(fromArray([1], undefined, "rings")).branch((n) => n > 0, "kind");
  const decoded = data.through(named("infer")).through(named("decode", ["openMax"]));
  const spans = decoded.join(facts.map((n) => n), link);
  return graphOf(
    spans.into(discard("store")),
    spans.filter((n) => n > 1, "slow").into(discard("alarm")),
    decoded.side.into(discard("verdicts")),
    spans.merge(facts).into(discard("all")),
  );
}

Deno.test("a graph is printed a line per node, with rails where it parts", () => {
  assert.equal(
    printGraph(shopGraph()),
    `
○ rings
◇ kind
├─╮ other
│ ● map
│ ╰▶ link
├─╮ other
│ ╰▶ merge
● infer
● decode
├─╮ side
│ ■ verdicts
◆ link
├─╮
│ ■ store
├─╮
│ ● slow
│ ■ alarm
◆ merge
■ all
`.trimStart(),
  );
});

Deno.test("a graph is drawn by Mermaid", () => {
  const flow = Flow.of(fromArray([1], undefined, "rings")).branch((n) => n > 0, "kind");
  const graph = graphOf(
    flow[0].merge(flow[1]).throughWeb(() => new TransformStream<number, number>(), 'a "b"')
      .into(discard("store")),
  );
  assert.equal(
    printMermaid(graph),
    `
flowchart LR
  n0(["rings"])
  n1{"kind"}
  n2(("merge"))
  n3["a #quot;b#quot;"]
  n4[("store")]
  n0 --> n1
  n1 --> n2
  n1 -->|other| n2
  n2 --> n3
  n3 --> n4
`.trimStart(),
  );
});

const meter = (id: string, values: Partial<NodeMeter>): NodeMeter => ({
  id,
  in: 0,
  out: 0,
  side: 0,
  drops: {},
  failed: 0,
  held: 0,
  heldMax: 0,
  nsPerRecord: NaN,
  watermarkNs: undefined,
  lagNs: 0n,
  ...values,
});
const at = (elapsedMs: number, nodes: NodeMeter[]): Snapshot => ({ elapsedMs, busyMs: 0, nodes });

Deno.test("a running graph shows rates since the last look, what is held, and losses", () => {
  const graph = graphOf(
    Flow.of(fromArray([1], undefined, "rings")).through(named("decode", ["openMax"]))
      .into(discard("store")),
  );
  const before = at(1_000, [
    meter("rings", { out: 1_000 }),
    meter("decode", { in: 1_000, out: 900 }),
    meter("store", { in: 900 }),
  ]);
  const now = at(3_000, [
    meter("rings", { out: 41_000, watermarkNs: 5n }),
    meter("decode", {
      in: 41_000,
      out: 2_900,
      side: 2,
      held: 1_200,
      heldMax: 1_500,
      nsPerRecord: 83.4,
      watermarkNs: 2n,
      lagNs: 12_000_000n,
      drops: { malformed: 3, clipped: 12_345 },
      failed: 1,
    }),
    meter("store", { in: 2_900 }),
  ]);
  const limits = { openMax: { value: 65_536, unit: "sessions" } };
  assert.equal(
    printGraph(graph, { now, before, limits }),
    `
          in/s  out/s               held  ns    lag
○ rings           20k                          0 µs
● decode   20k   1001  1200/66k sessions  83  12 ms  malformed 3, clipped 12k, failed 1
■ store   1000
`.slice(1),
  );
});
