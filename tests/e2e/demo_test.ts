// SPDX-License-Identifier: Apache-2.0
// The demo shop, whole: every request is one trace with every span in it, nothing is dropped, and
// nothing is left behind.

import assert from "node:assert/strict";
import { runToEnd } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { runSpandrel, spansIn, startSpandrel } from "../support/spandrel.ts";

const needs = ["bpf", "nginx", "node", "python", "redis", "postgres", "dnsmasq"] as const;

/** Processes and folders of demo shops that are there now. */
async function remains(): Promise<string[]> {
  const processes = (await runToEnd("ps", { args: ["-eo", "pid,args"] })).split("\n")
    .filter((line) => /spandrel-demo-|demo\/shop\/(stock\.py|orders\.mjs)/.test(line));
  const folders = [...Deno.readDirSync(Deno.env.get("TMPDIR") ?? "/tmp")]
    .map(({ name }) => name).filter((name) => name.startsWith("spandrel-demo-"));
  return [...processes, ...folders];
}

e2e("demo: map, slowest trace, no span apart, no drop, and a store to ask", { needs }, async () => {
  const before = await remains();
  const folder = await Deno.makeTempDir({ prefix: "spandrel-test-" });
  const db = `${folder}/demo.duckdb`;
  try {
    const { code, stdout, stderr } = await runSpandrel(["demo", "--duration", "3s", "--db", db]);
    assert.equal(code, 0, stderr);
    const edge = (name: string, protocol: string) =>
      new RegExp(`──▶ │ ${name} +│ +${protocol} +[\\d.]+/s +p50 `);
    for (const name of ["nginx", "orders", "stock"]) assert.match(stdout, edge(name, "http"));
    assert.match(stdout, edge("redis", "redis"));
    assert.match(stdout, edge("postgres", "postgresql"));
    assert.match(stdout, edge("dnsmasq", "dns"));
    const headline = /^nginx (?:GET|POST) \/api\/\S+ · .* · \d+ spans · \d services · trace \w+/m;
    assert.match(stdout, headline);
    const [, sent, seen, inTraces, spans] =
      /(\d+) requests sent, (\d+) traces seen at nginx, ([\d,]+) of ([\d,]+) spans in them, none/
        .exec(stdout) ?? [];
    assert.ok(Number(sent) >= 100, stdout);
    assert.equal(seen, sent);
    assert.equal(inTraces, spans);
    assert.match(stdout, /events, nothing dropped\./);
    await checkStore(db);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assert.deepEqual(await remains(), before);
});

/** What the file holds, by SQL and by export, in all formats. */
async function checkStore(db: string): Promise<void> {
  const statement = "SELECT protocol, count(*) AS spans FROM spans GROUP BY 1 ORDER BY 1";
  const rows = (await runSpandrel(["sql", "--db", db, "--json", statement])).stdout;
  const protocols = rows.trim().split("\n").map((row) => JSON.parse(row).protocol);
  for (const name of ["dns", "http", "postgresql", "redis"]) assert.ok(protocols.includes(name));

  const json = await runSpandrel(["export", "--db", db, "--format", "json", "--output", `${db}.j`]);
  assert.equal(json.code, 0, json.stderr);
  const spans = spansIn(await Deno.readTextFile(`${db}.j`));
  const ids = new Map(spans.map((span) => [span.span_id, span]));
  for (const { trace_id = "", parent_span_id = null } of spans) {
    assert.match(trace_id, /^[0-9a-f]{32}$/);
    if (parent_span_id !== null) assert.equal(ids.get(parent_span_id)?.trace_id, trace_id);
  }
  const otlp = `${db}.otlp`;
  await runSpandrel(["export", "--db", db, "--format", "otlp", "--output", otlp]);
  const { resourceSpans } = JSON.parse(await Deno.readTextFile(otlp));
  const count =
    resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: unknown[] }[] }) =>
      scopeSpans.flatMap((scope) => scope.spans)
    ).length;
  assert.equal(count, spans.length);
  const chrome = `${db}.chrome`;
  await runSpandrel(["export", "--db", db, "--format", "chrome", "--output", chrome]);
  const { traceEvents } = JSON.parse(await Deno.readTextFile(chrome));
  const slices = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  assert.equal(slices.length, spans.length);
}

e2e("demo: Ctrl-C in the middle of it leaves nothing behind", { needs }, async () => {
  const before = await remains();
  await using demo = await startSpandrel(["demo", "--duration", "60s"]);
  await until("the load", () => demo.stderr().includes("requests/s"));
  const { code } = await demo.stop();
  assert.equal(code, 0);
  assert.match(demo.stdout(), /Service map/);
  assert.deepEqual(await remains(), before);
});
