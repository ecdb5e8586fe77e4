// SPDX-License-Identifier: Apache-2.0
// Stored traces: over two hosts whose clocks are hours apart, from any of its ids; of long spans.

import assert from "node:assert/strict";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { openStore } from "../../queries/store/store.ts";
import { plainPaint } from "../cli/terminal/style.ts";
import { explainStored } from "./explain_stored.ts";
import { explanationLines } from "./explanation_lines.ts";

const hour = 3_600_000_000_000n;
const startNs = 1_700_000_000_000_000_000n;

Deno.test("a stored trace over hosts with skewed clocks is found whole, and says so", async () => {
  await using store = await openStore();
  const spans = [0, 1, 2].flatMap((n) => {
    const client = fixtureSpan({
      span_id: BigInt(n + 1),
      host: "web",
      request_seq: n,
      response_seq: n + 70,
      start_unix_ns: startNs + BigInt(n) * 20_000_000n,
      end_unix_ns: startNs + BigInt(n) * 20_000_000n + 10_000_000n,
    });
    const server = fixtureServerOf(client, { host: "db" });
    return [client, {
      ...server,
      start_unix_ns: server.start_unix_ns + 7n * hour,
      end_unix_ns: server.end_unix_ns + 7n * hour,
    }];
  });
  await store.insertSpans(spans.map((span) => ({ span, candidates: [] })));
  for (const id of ["0000000000000001", "00000000000003e9"]) {
    const { trace, explanationOf } = await explainStored(store, id);
    assert.deepEqual(trace.nodes.map(({ span }) => span.span_id), [1n, 1_001n]);
    assert.ok(trace.endNs - trace.startNs < 11_000_000n);
    const lines = explanationLines(trace, explanationOf, { paint: plainPaint, width: 100 });
    assert.match(lines.join("\n"), /^clock of web is 7h00m behind db \(±\d+µs, by 3 requests\)/m);
  }
  await assert.rejects(explainStored(store, "00000000000000ff"), /there is no such span/);
});

Deno.test("a stored trace whose spans last for hours is found whole", async () => {
  await using store = await openStore();
  const during = (span_id: bigint, parent: bigint | null, from: bigint, hours: bigint) =>
    fixtureSpan({
      span_id,
      parent_span_id: parent,
      link_evidence: parent === null ? "" : "thread",
      link_confidence: parent === null ? 0 : 1,
      request_seq: null,
      start_unix_ns: startNs + from * hour,
      end_unix_ns: startNs + (from + hours) * hour,
    });
  const spans = [during(1n, null, 0n, 9n), during(2n, 1n, 5n, 3n), during(3n, 2n, 7n, 1n)];
  await store.insertSpans(spans.map((span) => ({ span, candidates: [] })));
  const { trace } = await explainStored(store, "0000000000000001");
  assert.equal(trace.nodes.length, 3);
});
