// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LIKELY_STARTER } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { LinkedExchange } from "../../../model/linked_exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { link } from "../link.ts";

const program = { ...NO_PROGRAM, program: 1, tgid: 1 };

/** A loop on one thread, which reads for all tasks; tasks send. Each step is 1 ms. */
function startRun() {
  const linked: LinkedExchange[] = [];
  const emit = (record: LinkedExchange) => void linked.push(record);
  const join = link.open(undefined, { emit, side() {}, drop: assert.fail });
  let nowNs = 1_000_000_000n;
  let spans = 0n;

  function open(kind: "server" | "client", conn: number, task: bigint): Exchange {
    nowNs += 1_000_000n;
    const request = seen(kind === "server" ? "ingress" : "egress", "request", conn, task, nowNs);
    const exchange: Exchange = {
      ...{ spanId: ++spans, connection: request.connection, program, protocol: "http", kind },
      ...{ request, response: null, startNs: nowNs, endNs: nowNs, endTid: 0, endTurn: 0 },
      ...{ bytesRequest: 1, bytesResponse: 0, status: "unknown", shape: "exchange" },
      ...{ lateFields: null, clipped: false },
    };
    join.left({ kind: "opened", exchange, emitNs: nowNs });
    return exchange;
  }

  function close(exchange: Exchange, task: bigint): void {
    nowNs += 1_000_000n;
    const direction = exchange.kind === "server" ? "egress" : "ingress";
    exchange.response = seen(direction, "response", exchange.connection.conn, task, nowNs);
    exchange.endNs = nowNs;
    exchange.status = "ok";
    join.left({ kind: "closed", exchange, emitNs: nowNs });
  }

  return {
    read: (conn: number) => open("server", conn, 0n),
    answer: (work: Exchange, task: bigint) => close(work, task),
    /** A call that is answered at once. */
    call(task: bigint): Exchange {
      const call = open("client", 1_000 + Number(task), task);
      close(call, 0n);
      return call;
    },
    /** Each of the line is awaited by the next one. */
    awaits(...line: bigint[]): void {
      const births = line.map((coroutine) => ({ coroutine, bornNs: nowNs }));
      join.right({ kind: "coroutine", program, line: births, emitNs: nowNs });
    },
    /** The task is started right after what was told last, most likely by this one. */
    starts(task: bigint, by: bigint): void {
      const line = [{ coroutine: task, bornNs: nowNs }, {
        coroutine: by + LIKELY_STARTER,
        bornNs: 0n,
      }];
      join.right({ kind: "coroutine", program, line, emitNs: nowNs });
    },
    /** Where the task tells it. */
    parentOf({ spanId }: Exchange): bigint | undefined {
      join.end();
      const [first] = linked.findLast(({ exchange }) => exchange.spanId === spanId)?.candidates ??
        [];
      const isTold = first?.votes.includes("coroutine") ?? false;
      return isTold && first !== undefined && first.score > 0.99 ? first.parent_id : undefined;
    },
  };
}

function seen(
  direction: MessageSeen["direction"],
  kind: "request" | "response",
  conn: number,
  coroutine: bigint,
  nowNs: bigint,
): MessageSeen {
  const end = { ip: "127.0.0.1", port: 80 };
  return {
    kind: "message",
    connection: {
      ...{ conn, cookie: BigInt(conn), transport: "tcp", netns: 1 },
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

Deno.test("link: who answers has called for that request, whatever the order", () => {
  const run = startRun();
  const [one, two] = [run.read(1), run.read(2)];
  const [ofTwo, ofOne] = [run.call(20n), run.call(10n)];
  const again = run.call(20n);
  run.answer(one, 10n);
  run.answer(two, 20n);
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofTwo), two.spanId);
  assert.equal(run.parentOf(again), two.spanId);
});

Deno.test("link: whom a task awaits works for its request", () => {
  const run = startRun();
  const [one, two] = [run.read(1), run.read(2)];
  run.awaits(31n, 30n, 20n, 1n);
  run.awaits(11n, 10n, 1n);
  const [ofTwo, ofOne] = [run.call(31n), run.call(11n)];
  run.answer(one, 10n);
  run.answer(two, 20n);
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofTwo), two.spanId);
});

Deno.test("link: what a task sends before it answers another is for the one before", () => {
  const run = startRun();
  const [one, other] = [run.read(1), run.read(9)];
  run.answer(one, 10n);
  const late = run.call(10n);
  const two = run.read(1);
  const early = run.call(10n);
  run.answer(two, 10n);
  run.answer(other, 90n);
  assert.equal(run.parentOf(late), one.spanId);
  assert.equal(run.parentOf(early), two.spanId);
});

Deno.test("link: where a task serves a connection, its requests need no answer", () => {
  const run = startRun();
  for (let i = 0; i < 10; i++) {
    run.answer(run.read(1), 10n);
    run.answer(run.read(2), 20n);
  }
  const [one, two] = [run.read(1), run.read(2)];
  const [ofTwo, ofOne] = [run.call(20n), run.call(10n)];
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofTwo), two.spanId);
});

Deno.test("link: where tasks take requests in turn, nothing is told before the answer", () => {
  const run = startRun();
  for (let i = 0; i < 20; i++) run.answer(run.read(1), BigInt(10 + i % 3));
  const [one, two] = [run.read(1), run.read(2)];
  const [call, unanswered] = [run.call(11n), run.call(12n)];
  run.answer(two, 11n);
  assert.equal(run.parentOf(call), two.spanId);
  assert.equal(run.parentOf(unanswered), undefined);
  run.answer(one, 10n);
});

Deno.test("link: what is started right after answers goes on with what was answered", () => {
  const run = startRun();
  for (let i = 0n; i < 24n; i++) {
    run.answer(run.read(1), 10n);
    run.starts(100n + i, 10n);
    run.call(100n + i);
  }
  const other = run.read(2);
  const one = run.read(1);
  run.answer(one, 10n);
  run.starts(200n, 10n);
  const next = run.read(1);
  const call = run.call(200n);
  run.answer(next, 10n);
  run.answer(other, 20n);
  assert.equal(run.parentOf(call), one.spanId);
});

Deno.test("link: what is started after sends of all kinds goes on with none of them", () => {
  const run = startRun();
  for (let i = 0n; i < 24n; i++) {
    run.answer(run.read(1), 10n);
    run.starts(100n + 2n * i, 10n);
    run.call(10n);
    run.starts(101n + 2n * i, 10n);
  }
  const other = run.read(2);
  run.answer(run.read(1), 10n);
  run.starts(200n, 10n);
  const call = run.call(200n);
  run.answer(other, 20n);
  assert.equal(run.parentOf(call), undefined);
});
