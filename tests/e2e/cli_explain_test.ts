// SPDX-License-Identifier: Apache-2.0
// `explain`, `compare`, `export` with other rules, `accuracy --db` and `trace --spans`, as users
// run them.

import assert from "node:assert/strict";
import type { Candidate } from "../../model/link.ts";
import type { Span } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { openStore } from "../../queries/store/store.ts";
import { e2e } from "../support/e2e.ts";
import { runSpandrel } from "../support/spandrel.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const startNs = 1_700_000_000_000_000_000n;
const at = (n: bigint) => ({ start_unix_ns: startNs + n, end_unix_ns: startNs + n + 1_000_000n });
const server = (span_id: bigint, over: Partial<Span> = {}) =>
  fixtureSpan({ span_id, kind: "server", request_seq: Number(span_id), ...at(0n), ...over });
const call = fixtureSpan({
  span_id: 5n,
  parent_span_id: 1n,
  link_evidence: "identity",
  link_confidence: 0.999,
  trace_id_header: traceId,
  request_seq: 5,
  ...at(1_000n),
});
const candidates: Candidate[] = [1n, 2n].map((parent_id, rank) => ({
  span_id: 5n,
  parent_id,
  evidence: rank === 0 ? "identity" : "turn",
  score: rank === 0 ? 0.999 : 0.001,
  rank,
  votes: rank === 0 ? "identity=1" : "after_request=0.6",
  among: 2,
}));

async function withStore(body: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-explain-" });
  try {
    const path = `${folder}/spans.duckdb`;
    {
      await using store = await openStore({ path });
      const called = fixtureServerOf(call, { span_id: 6n });
      await store.insertSpans([
        ...[server(1n), server(2n, { resource: "/other" }), called].map((span) => ({
          span,
          candidates: [],
        })),
        { span: call, candidates },
      ]);
    }
    await body(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

e2e(
  "cli: explain says why, compare and export assemble by other rules",
  { needs: [] },
  () =>
    withStore(async (db) => {
      const explained = await runSpandrel(["explain", "--db", db, traceId]);
      assert.equal(explained.code, 0, explained.stderr);
      assert.match(
        explained.stdout,
        /identity 99.9%, 99.8% ahead of the next: both carry the same id/,
      );
      assert.match(explained.stdout, /hop 100%: the TCP sequence numbers/);
      assert.ok(!explained.stdout.includes("\x1b"), "no colours outside of a terminal");

      const json = await runSpandrel(["explain", "--db", db, "--json", "0000000000000005"]);
      const [line, ...others] = json.stdout.trim().split("\n");
      assert.equal(others.length, 0);
      const told = JSON.parse(line ?? "");
      assert.deepEqual([told.link_rule, told.parent_span_id, told.among], [
        "identity",
        "0000000000000001",
        2,
      ]);

      const without = ["--without-rule", "identity"];
      const compared = await runSpandrel(["compare", "--db", db, "--json", ...without]);
      const comparison = JSON.parse(compared.stdout);
      assert.deepEqual([comparison.spans, comparison.moved, comparison.lost], [4, 1, 0]);
      assert.equal(comparison.changes[0].rule_after, "after_request");
      const text = await runSpandrel(["compare", "--db", db, ...without]);
      assert.match(text.stdout, /^1 of 4 spans have another parent/);

      const parentIn = async (...options: string[]) => {
        const { stdout } = await runSpandrel(["export", "--db", db, ...options]);
        const spans = stdout.trim().split("\n").map((each) => JSON.parse(each));
        return spans.find(({ span_id }) => span_id === "0000000000000005")?.parent_span_id;
      };
      assert.equal(await parentIn(), "0000000000000001");
      assert.equal(await parentIn(...without), "0000000000000002");
      assert.equal(await parentIn("--threshold", "0.9995"), null);
    }),
);

e2e(
  "cli: explain and compare refuse in one sentence",
  { needs: [] },
  () =>
    withStore(async (db) => {
      const refused = async (words: string[], sentence: RegExp) => {
        const { code, stdout, stderr } = await runSpandrel(words);
        assert.equal(code, 2);
        assert.equal(stdout, "");
        assert.match(stderr, sentence);
      };
      await refused(
        ["explain", "--db", db, "xyz"],
        /^Cannot read ID "xyz": write the 32 hex digits/,
      );
      await refused(
        ["explain", "--db", db, "0".repeat(15) + "9"],
        /^Cannot explain .* no such span/,
      );
      await refused(
        ["explain", "--db", `${db}.not`, traceId],
        /^Cannot open .*there is no such file/,
      );
      await refused(["compare", "--db", db], /^Cannot compare: say what to change/);
      await refused(["compare", "--db", db, "--threshold", "2"], /write a share from 0 to 1/);
      await refused(
        ["export", "--db", db, "--without-rule", "luck"],
        /there is no such rule; known/,
      );
      const spans = ["trace", "--pcap", db, "--spans", `${db}.not`];
      assert.notEqual((await runSpandrel(spans)).code, 0);
    }),
);

e2e("cli: accuracy --db tells what it cannot tell", { needs: [] }, () =>
  withStore(async (db) => {
    const { code, stdout } = await runSpandrel(["accuracy", "--db", db]);
    assert.equal(code, 0);
    assert.match(stdout, /^No link could be checked/);
    const json = await runSpandrel(["accuracy", "--db", db, "--json"]);
    assert.deepEqual(JSON.parse(json.stdout), { traces: 2, services: [], blind_spots: [] });
  }));
