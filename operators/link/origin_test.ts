// SPDX-License-Identifier: Apache-2.0
// What a loop's call follows from where it is not sent at once after what it follows from.

import assert from "node:assert/strict";
import type { ConnectFact } from "../../model/capture_record.ts";
import type { Exchange } from "../../model/exchange.ts";
import type { MessageSeen } from "../../model/message.ts";
import { NO_PROGRAM } from "../../model/process.ts";
import { Linker } from "./linker.ts";
import type { Call, Work } from "./program.ts";

const program = { ...NO_PROGRAM, program: 1, tgid: 1 };

/** One thread that is told what it does, 10 µs after what it did before. */
function startLoop() {
  const linker = new Linker({ emit: () => {}, hold: () => {}, forget: () => {} });
  let nowNs = 1_000_000_000n;
  let spanId = 0n;
  const seen = (direction: "ingress" | "egress", turn: number, conn: number): MessageSeen => ({
    ...{ kind: "message", program, protocol: "http", tid: 1, coroutine: 0n, turn, direction },
    connection: {
      ...{ conn, cookie: BigInt(conn), transport: "tcp", netns: 1, role: "unknown", startNs: 1n },
      ...{ local: { ip: "::1", port: conn }, peer: { ip: "::1", port: 80 }, peerCookie: 0n },
      ...{ joinedMidstream: false, observer: "process" },
    },
    message: {
      ...{ kind: "request", type: "GET", resource: "/", domain: "", code: null, status: "ok" },
      ...{ id: null, identity: null, fields: {}, more: false, clipped: false },
      endpoint: direction === "ingress" ? "/in" : "/out",
    },
    ...{ startNs: nowNs, emitNs: nowNs, offset: 0, seq: -1, bytes: 1, endTid: 1 },
  });
  function open(direction: "ingress" | "egress", turn: number, conn: number): Work | Call {
    nowNs += 10_000n;
    const request = seen(direction, turn, conn);
    const exchange: Exchange = {
      ...{ spanId: ++spanId, connection: request.connection, program, protocol: "http", request },
      ...{ kind: direction === "ingress" ? "server" : "client", response: null, endTid: 1 },
      ...{ startNs: nowNs, endNs: nowNs, endTurn: 0, bytesRequest: 1, bytesResponse: 0 },
      ...{ status: "unknown", shape: "exchange", lateFields: null, clipped: false },
    };
    const entry = linker.open(exchange);
    assert.ok(entry);
    return entry;
  }
  function read(turn: number, conn: number): Work {
    const work = open("ingress", turn, conn);
    assert.ok(work.isWork);
    return work;
  }
  function send(turn: number, conn: number): Call {
    const call = open("egress", turn, conn);
    assert.ok(!call.isWork);
    return call;
  }
  function close(entry: Work | Call, turn: number): void {
    nowNs += 10_000n;
    const { exchange } = entry;
    exchange.response = seen(entry.isWork ? "egress" : "ingress", turn, exchange.connection.conn);
    exchange.endNs = nowNs;
    exchange.status = "ok";
    linker.respond(entry);
    if (entry.isWork) linker.closeWork(entry);
    else linker.closeCall(entry);
  }
  function connect(turn: number, conn: number): void {
    nowNs += 10_000n;
    const to = { peer: { ip: "::1", port: 80 }, cookie: BigInt(conn) };
    const fact: ConnectFact = { kind: "connect", program, tid: 1, turn, ...to, emitNs: nowNs };
    linker.noteConnect(fact);
  }
  return { read, send, close, connect };
}

Deno.test("origin: a connection that was opened at once is for what was read before that", () => {
  const { read, send, connect } = startLoop();
  const first = read(1, 1);
  connect(1, 11);
  const second = read(1, 2);
  connect(1, 12);
  const late = send(2, 12);
  const later = send(3, 11);
  assert.deepEqual([late.origin?.from, late.origin?.by], [second, "connected"]);
  assert.deepEqual([later.origin?.from, later.origin?.by], [first, "connected"]);
});

Deno.test("origin: a connection opened for what is over by now was opened in advance", () => {
  const { read, send, close, connect } = startLoop();
  const first = read(1, 1);
  connect(1, 11);
  close(first, 1);
  const second = read(2, 2);
  assert.equal(send(2, 11).origin?.from, second);
});

Deno.test("origin: of several that were read before anything was sent, each has its turn", () => {
  const { read, send, close } = startLoop();
  for (let turn = 1; turn <= 20; turn += 2) {
    const work = read(turn, 1);
    const call = send(turn, 11 + turn % 3);
    close(call, turn + 1);
    close(work, turn + 1);
  }
  const works = [read(30, 1), read(30, 2), read(30, 3)];
  const calls = [send(30, 11), send(30, 12), send(30, 13)];
  assert.deepEqual(calls.map(({ origin }) => origin?.from), works);
  assert.deepEqual(calls.map(({ origin }) => origin?.by), ["batched", "batched", "at_once"]);
});

Deno.test("origin: what such a request leads to once follows from it once", () => {
  const { read, send, close } = startLoop();
  for (let turn = 1; turn <= 50; turn += 2) {
    const work = read(turn, 1);
    const call = send(turn, 11);
    close(call, turn + 1);
    close(work, turn + 1);
  }
  read(60, 1);
  const work = read(61, 2);
  assert.equal(send(61, 11).origin?.from, work);
  const other = send(61, 12);
  assert.notEqual(other.origin?.from, work);
});
