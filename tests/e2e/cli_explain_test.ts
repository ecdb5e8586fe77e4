// SPDX-License-Identifier: Apache-2.0
// `explain`, `compare`, `export` with other rules, `accuracy --db` and `trace --spans`, as users
// run them.

import assert from "node:assert/strict";
import type { Candidate } from "../../model/link.ts";
import type { Span } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { openStore } from "../../queries/store/store.ts";
import {
  ethernet,
  ipv4,
  pcapFile,
  tcp,
  type TcpParts,
  text,
} from "../../operators/sources/packets/packet_fixture.ts";
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
      const compareText = await runSpandrel(["compare", "--db", db, ...without]);
      assert.match(compareText.stdout, /^1 of 4 spans have another parent/);

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

/** A capture file of one request whose header names the span of an application. */
function captureOf(parentId: string): Uint8Array {
  const [browser, web] = [[10, 0, 0, 1], [10, 0, 0, 2]] as const;
  const up = (parts: Omit<TcpParts, "from" | "to">) =>
    ethernet(
      0x0800,
      ipv4({ from: browser, to: web, protocol: 6 }, tcp({ from: 40_000, to: 80, ...parts })),
    );
  const down = (parts: Omit<TcpParts, "from" | "to">) =>
    ethernet(
      0x0800,
      ipv4({ from: web, to: browser, protocol: 6 }, tcp({ from: 80, to: 40_000, ...parts })),
    );
  const asked = text(
    `GET /cart HTTP/1.1\r\nHost: shop\r\ntraceparent: 00-${traceId}-${parentId}-01\r\n\r\n`,
  );
  const answered = text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const packets = [
    up({ flags: "S", seq: 100 }),
    down({ flags: "SA", seq: 500, ack: 101 }),
    up({ seq: 101, ack: 501, payload: asked }),
    down({ seq: 501, ack: 101 + asked.length, payload: answered }),
  ];
  return pcapFile(packets.map((bytes, i) => ({ timeNs: startNs + BigInt(i) * 1_000_000n, bytes })));
}

e2e(
  "cli: trace --spans joins what applications say with what is captured",
  { needs: [] },
  () =>
    withStore(async (_db, folder) => {
      const [pcap, spans] = [`${folder}/cart.pcap`, `${folder}/spans.json`];
      await Deno.writeFile(pcap, captureOf("00000000000000aa"));
      const app = {
        traceId,
        spanId: "00000000000000aa",
        name: "buy",
        kind: 3,
        startTimeUnixNano: "1700000000000000000",
        endTimeUnixNano: "1700000000010000000",
      };
      const resource = { attributes: [{ key: "service.name", value: { stringValue: "browser" } }] };
      const document = (each: unknown) =>
        JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [each] }] }] });
      await Deno.writeTextFile(spans, `${document(app)}\n${document({ ...app, spanId: "0" })}\n`);
      const { code, stdout, stderr } = await runSpandrel(
        ["trace", "--pcap", pcap, "--spans", spans, "--json"],
      );
      assert.equal(code, 0, stderr);
      assert.match(stderr, /dropped: 1 span malformed/);
      const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
      const told = lines.find(({ observer }) => observer === "app");
      const seen = lines.find(({ observer }) => observer === "nic");
      assert.deepEqual([told.service, told.name, told.trace_id_header], [
        "browser",
        "buy",
        traceId,
      ]);
      assert.equal(seen.resource, "/cart");
      assert.equal(seen.parent_span_id, "00000000000000aa");
      assert.equal(seen.link_evidence, "identity");

      await Deno.writeTextFile(spans, "{");
      const refused = await runSpandrel(["trace", "--pcap", pcap, "--spans", spans, "--json"]);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /^Cannot read spans from .*: line 1 is not JSON .*give OTLP/s);
    }),
);
