// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Exchange } from "../../../model/exchange.ts";
import type { LinkedExchange } from "../../../model/linked_exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { link } from "../link.ts";

const program = { ...NO_PROGRAM, program: 1, tgid: 1 };

/** A Go program whose goroutines read and send; each step is 1 ms, and none has a thread. */
function startRun() {
  const linked: LinkedExchange[] = [];
  const emit = (record: LinkedExchange) => void linked.push(record);
  const join = link.open(undefined, { emit, side() {}, drop: assert.fail });
  let nowNs = 1_000_000_000n;
  let spans = 0n;

  function open(kind: "server" | "client", coroutine: bigint, afterNs = 1_000_000n): Exchange {
    nowNs += afterNs;
    const request = seen(kind === "server" ? "ingress" : "egress", "request", coroutine, nowNs);
    const exchange: Exchange = {
      ...{ spanId: ++spans, connection: request.connection, program, protocol: "http", kind },
      ...{ request, response: null, startNs: nowNs, endNs: nowNs, endTid: 0, endTurn: 0 },
      ...{ bytesRequest: 1, bytesResponse: 0, status: "unknown", shape: "exchange" },
      ...{ lateFields: null, clipped: false },
    };
    join.left({ kind: "opened", exchange, emitNs: nowNs });
    return exchange;
  }

  return {
    read: (coroutine: bigint) => open("server", coroutine),
    send: (coroutine: bigint) => open("client", coroutine),
    readSeveral: (coroutine: bigint, count: number) =>
      Array.from({ length: count }, () => open("server", coroutine, 0n)),
    close(exchange: Exchange, coroutine = exchange.request?.coroutine ?? 0n): void {
      nowNs += 1_000_000n;
      const direction = exchange.kind === "server" ? "egress" : "ingress";
      exchange.response = seen(direction, "response", coroutine, nowNs);
      exchange.endNs = nowNs;
      exchange.status = "ok";
      join.left({ kind: "closed", exchange, emitNs: nowNs });
    },
    /** Each of the line is started by the next one. */
    start(...line: bigint[]): void {
      nowNs += 1_000_000n;
      const births = line.map((coroutine) => ({ coroutine, bornNs: nowNs }));
      join.right({ kind: "coroutine", program, line: births, emitNs: nowNs });
    },
    /** Where the coroutine tells it. */
    parentOf({ spanId }: Exchange): bigint | undefined {
      join.end();
      const [first] = linked.findLast(({ exchange }) => exchange.spanId === spanId)?.candidates ??
        [];
      return first?.evidence === "thread" && first.score > 0.9 ? first.parent_id : undefined;
    },
  };
}

function seen(
  direction: MessageSeen["direction"],
  kind: "request" | "response",
  coroutine: bigint,
  nowNs: bigint,
): MessageSeen {
  const end = { ip: "127.0.0.1", port: 80 };
  return {
    kind: "message",
    connection: {
      ...{ conn: Number(coroutine), cookie: coroutine, transport: "tcp", netns: 1 },
      ...{ role: direction === "ingress" ? "server" : "client", local: end, peer: end },
      ...{ startNs: 1n, joinedMidstream: false, observer: "process", peerCookie: 0n },
    },
    ...{ program, protocol: "http", tid: 1, coroutine, turn: 0, direction },
    message: {
      ...{ kind, type: "GET", resource: "/", domain: "", endpoint: "/", code: null },
      ...{ status: "unknown", id: null, identity: null, fields: {}, more: false, clipped: false },
    },
    ...{ startNs: nowNs, emitNs: nowNs, offset: 0, seq: -1, bytes: 1, endTid: 1 },
  };
}

Deno.test("link: a coroutine is a context of its own, whatever thread it runs on", () => {
  const run = startRun();
  const [one, two] = [run.read(10n), run.read(20n)];
  const [ofTwo, ofOne] = [run.send(20n), run.send(10n)];
  for (const each of [ofOne, ofTwo, two, one]) run.close(each);
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofTwo), two.spanId);
});

Deno.test("link: what a handler starts works for its request, children of children too", () => {
  const run = startRun();
  const [one, two] = [run.read(10n), run.read(20n)];
  run.start(11n, 10n, 1n);
  run.start(22n, 21n, 20n, 1n);
  const [child, grandchild] = [run.send(11n), run.send(22n)];
  for (const each of [child, grandchild, one, two]) run.close(each);
  assert.equal(run.parentOf(child), one.spanId);
  assert.equal(run.parentOf(grandchild), two.spanId);
});

Deno.test("link: what a request has started works for it after the answer, too", () => {
  const run = startRun();
  const first = run.read(10n);
  run.start(11n, 10n, 1n);
  run.close(first);
  const [next, other] = [run.read(10n), run.read(20n)];
  const late = run.send(11n);
  for (const each of [late, next, other]) run.close(each);
  assert.equal(run.parentOf(late), first.spanId);
});

Deno.test("link: who has answered works for that request until the next is read", () => {
  const run = startRun();
  const [first, other] = [run.read(10n), run.read(20n)];
  run.close(first);
  const late = run.send(10n);
  run.close(late);
  const next = run.read(10n);
  const call = run.send(10n);
  for (const each of [call, next, other]) run.close(each);
  assert.equal(run.parentOf(late), first.spanId);
  assert.equal(run.parentOf(call), next.spanId);
});

Deno.test("link: who sends what others read the answers to works for no answered request", () => {
  const run = startRun();
  const first = run.read(10n);
  run.start(11n, 10n, 1n);
  const early = [run.send(11n), run.send(11n)];
  for (const each of early) run.close(each, 12n);
  run.close(first);
  const other = run.read(20n);
  const late = run.send(11n);
  for (const each of [late, other]) run.close(each);
  assert.deepEqual(early.map(run.parentOf), [first.spanId, first.spanId]);
  assert.equal(run.parentOf(late), undefined);
});

Deno.test("link: requests that were sent at once are worked on one after the other", () => {
  const run = startRun();
  const several = run.readSeveral(10n, 3);
  const other = run.read(20n);
  const calls: Exchange[] = [];
  for (const work of several) {
    calls.push(run.send(10n), run.send(10n));
    for (const call of calls.slice(-2)) run.close(call);
    run.close(work);
  }
  run.close(other);
  const parents = several.flatMap(({ spanId }) => [spanId, spanId]);
  assert.deepEqual(calls.map(run.parentOf), parents);
});

Deno.test("link: a handler that waits is not forgotten for the many that come and go", () => {
  const run = startRun();
  const waits = run.read(1n);
  for (let coroutine = 2n; coroutine < 3_000n; coroutine++) run.close(run.read(coroutine));
  const [other, call] = [run.read(5_000n), run.send(1n)];
  for (const each of [call, other, waits]) run.close(each);
  assert.equal(run.parentOf(call), waits.spanId);
});
