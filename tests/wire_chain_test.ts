// SPDX-License-Identifier: Apache-2.0
// Every golden fixture as a live connection, many at once, with losses, clipping, inversions and
// sudden ends: whatever comes, each exchange has one life, and the same records give the same.

import assert from "node:assert/strict";
import type { SocketRecord } from "../model/capture_record.ts";
import { SECOND } from "../model/time.ts";
import { Conversation } from "./support/wire/conversation.ts";
import { type Fixture, parseFixture } from "./support/wire/golden_fixture.ts";
import { damage, type Random, randomOf } from "./support/wire/golden_variants.ts";
import { type WireChain, wireChain } from "./support/wire/wire_chain.ts";

const folder = new URL("golden/", import.meta.url);
const fixtures: readonly Fixture[] = [...Deno.readDirSync(folder)]
  .map(({ name }) => name)
  .filter((name) => name.endsWith(".txt"))
  .sort()
  .map((name) => parseFixture(name.slice(0, -4), Deno.readTextFileSync(new URL(name, folder))));

Deno.test("chain: undamaged fixtures are recognised and lose nothing", () => {
  for (const fixture of fixtures) {
    for (const [conn, { caption, steps, probed }] of fixture.cases.entries()) {
      if (!probed || steps.some((step) => step.kind === "call" && clipped(step))) continue;
      const chain = wireChain();
      chain.push(...recordsOf(fixture, steps, conn, randomOf(0), false));
      chain.end();
      const first = chain.messages.find((event) => event.kind === "message");
      if (first?.kind !== "message") continue;
      assert.equal(first.protocol, fixture.protocol, caption);
      checkLives(chain, `${fixture.protocol}: ${caption}`);
    }
  }
});

Deno.test("chain: damaged connections, many at once: each exchange has one life", () => {
  for (let seed = 0; seed < 40; seed++) {
    const records = damagedTraffic(randomOf(seed));
    checkLives(play(records), `seed ${seed}`);
  }
});

Deno.test("chain: the same records give the same events", () => {
  const show = (chain: WireChain) =>
    chain.events.map(({ kind, exchange, emitNs }) =>
      [kind, exchange.spanId, exchange.status, exchange.shape, exchange.endNs, emitNs].join(" ")
    );
  const once = show(play(damagedTraffic(randomOf(7))));
  assert.ok(once.length > 100);
  assert.deepEqual(once, show(play(damagedTraffic(randomOf(7)))));
});

const clipped = (step: { bytes: Uint8Array; length: number }) => step.bytes.length < step.length;

function play(records: readonly SocketRecord[]): WireChain {
  const chain = wireChain();
  for (const [n, record] of records.entries()) {
    chain.push(record);
    if (n % 50 === 0) chain.advance(record.emitNs - SECOND / 100n);
  }
  chain.end();
  return chain;
}

function damagedTraffic(random: Random): SocketRecord[] {
  const flows: SocketRecord[][] = [];
  for (let conn = 0; conn < 60; conn++) {
    const fixture = fixtures[random(fixtures.length)];
    const picked = fixture?.cases[random(fixture.cases.length)];
    if (fixture === undefined || picked === undefined) continue;
    flows.push(recordsOf(fixture, damage(picked.steps, random), conn, random, true));
  }
  const records: SocketRecord[] = [];
  while (flows.length > 0) {
    const at = random(flows.length);
    const record = flows[at]?.shift();
    if (record === undefined) flows.splice(at, 1);
    else records.push(record);
  }
  return records;
}

/** The calls of a case as a connection's records; wild: some lost, some before their time. */
function recordsOf(
  fixture: Fixture,
  steps: Fixture["cases"][number]["steps"],
  conn: number,
  random: Random,
  wild: boolean,
): SocketRecord[] {
  const role = (["client", "server", "unknown"] as const)[wild ? random(3) : 0] ?? "client";
  const { transport } = fixture;
  const talk = new Conversation({ conn, cookie: BigInt(conn), role, transport });
  const records: SocketRecord[] = [];
  for (const step of steps) {
    if (step.kind === "end") {
      if (step.what === "close" || step.what === "reset") records.push(talk.close(step.what));
      else {records.push(
          talk.eof((step.what === "eof up") === (role !== "server") ? "egress" : "ingress"),
        );}
      continue;
    }
    const padded = new Uint8Array(step.length);
    padded.set(step.bytes);
    const options = { captured: step.bytes.length };
    const event = step.up ? talk.up(padded, options) : talk.down(padded, options);
    if (wild && random(20) === 0) continue;
    if (wild && random(20) === 0) records.splice(-1, 0, event);
    else records.push(event);
  }
  if (random(2) === 0) records.push(talk.close(random(2) === 0 ? "close" : "exit"));
  return records;
}

/** opened (responded) (streaming) closed, in this order, once, with sound numbers. */
function checkLives(chain: WireChain, what: string): void {
  const lives = new Map<string, string[]>();
  for (const { kind, exchange } of chain.events) {
    const key = `${exchange.connection.conn}:${exchange.spanId}`;
    const life = lives.get(key);
    if (life === undefined) lives.set(key, [kind]);
    else life.push(kind);
    assert.ok(exchange.bytesRequest >= 0 && exchange.bytesResponse >= 0, what);
    assert.ok(exchange.request !== null || exchange.response !== null, what);
    assert.ok(exchange.endNs >= exchange.startNs, `${what}: ends before it starts`);
  }
  for (const [key, life] of lives) {
    assert.match(life.join(" "), LIFE, `${what}, exchange ${key}`);
  }
}

const LIFE = /^(opened( responded)?( streaming)?( responded)? )?closed$/;
