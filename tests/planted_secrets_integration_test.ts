// SPDX-License-Identifier: Apache-2.0
// Secrets are planted all over the fixtures: passwords, tokens, values, what errors repeat. None of
// them is in the store, whoever's bytes they are, joined at the first byte or midway; with
// --keep-payload they are.

import assert from "node:assert/strict";
import { tracePipeline } from "../app/pipeline.ts";
import { Flow } from "../engine/flow.ts";
import { run } from "../engine/run.ts";
import { discard, forEach } from "../engine/sink.ts";
import type { SocketRecord } from "../model/capture_record.ts";
import type { SpanRevision } from "../model/span.ts";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import { openStore } from "../queries/store/store.ts";
import { Conversation } from "./support/wire/conversation.ts";
import { type Case, parseFixture } from "./support/wire/golden_fixture.ts";

const SECRET = /planted[-_]?(?:secret|communi)/i;

/** Each case is a connection of its own, seen from its call `from` on. */
function* records(from: number): Generator<SocketRecord> {
  let conn = 0;
  for (const { name } of PROTOCOLS) {
    const url = new URL(`golden/${name}.txt`, import.meta.url);
    const { transport, cases } = parseFixture(name, Deno.readTextFileSync(url));
    for (const each of cases) yield* connection(++conn, transport, each, from);
  }
}

function* connection(
  conn: number,
  transport: "tcp" | "udp",
  { steps }: Case,
  from: number,
): Generator<SocketRecord> {
  const local = { ip: "10.0.0.1", port: 10_000 + conn };
  const talk = new Conversation({
    ...{ conn, cookie: BigInt(conn), transport, local, joinedMidstream: from > 0 },
    role: from > 0 ? "unknown" : "client",
  }, 1_000_000_000n * BigInt(conn));
  for (const step of steps.filter((step) => step.kind === "call").slice(from)) {
    const bytes = new Uint8Array(step.length);
    bytes.set(step.bytes);
    yield talk.call(step.up ? "egress" : "ingress", bytes, { captured: step.bytes.length });
  }
}

async function spansOf(from: number, keepPayload: boolean): Promise<SpanRevision[]> {
  const revisions: SpanRevision[] = [];
  const host = { name: "host", bootId: `boot ${from}` };
  const source = Flow.from([...records(from)], (record) => record.emitNs);
  const pipeline = tracePipeline(source, { host, keepPayload, unknownTcp: false });
  const spans = pipeline.spans.into(forEach("spans", (revision) => void revisions.push(revision)));
  await run([spans, pipeline.verdicts.into(discard())]).finished;
  assert.ok(revisions.length > 200, `${revisions.length} spans`);
  return revisions;
}

const textOf = (row: unknown): string =>
  JSON.stringify(row, (_, value) => typeof value === "bigint" ? `${value}` : value);

Deno.test("no planted secret is stored", async () => {
  await using store = await openStore({ protocols: PROTOCOLS, facts: { host: "host" } });
  for (const from of [0, 1, 2, 3]) await store.insertSpans(await spansOf(from, false));
  const rows = (await store.query("SELECT * FROM spans")).rows();
  assert.ok(rows.length > 1_000, `${rows.length} rows`);
  assert.deepEqual(rows.map(textOf).filter((row) => SECRET.test(row)), []);
});

Deno.test("with --keep-payload planted secrets are kept", async () => {
  assert.match((await spansOf(0, true)).map(textOf).join("\n"), SECRET);
});
