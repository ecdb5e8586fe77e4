// SPDX-License-Identifier: Apache-2.0
// A program that is a loop, for tests of link: one thread, which is told what it does.

import assert from "node:assert/strict";
import type { ConnectFact } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { Linker } from "../linker.ts";
import type { Call, Work } from "../program.ts";

const program = { ...NO_PROGRAM, program: 1, tgid: 1 };

/** One thread that is told what it does, 10 µs after what it did before. */
export function startLoop() {
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
