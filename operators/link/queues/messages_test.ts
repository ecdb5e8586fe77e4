// SPDX-License-Identifier: Apache-2.0
// Works that messages begin, seen from outside: events of sessions in, candidates out.

import assert from "node:assert/strict";
import type { Connection } from "../../../model/connection.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { Candidate } from "../../../model/link.ts";
import type { Message, MessageSeen } from "../../../model/message.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { newExchange, respond } from "../../sessions/exchange.ts";
import { envelope } from "../../wire/payload/envelope.ts";
import { link } from "../link.ts";

const program = { ...NO_PROGRAM, program: 7, tgid: 42 };

function connectionOf(conn: number): Connection {
  const address = { ip: "127.0.0.1", port: conn };
  return {
    ...{ conn, cookie: BigInt(conn), transport: "tcp", netns: 1, role: "unknown" },
    ...{ local: address, peer: address, startNs: 1n, joinedMidstream: false },
    ...{ observer: "process", peerCookie: 0n },
  };
}

const blank: Message = {
  ...{ kind: "request", type: "GET", resource: "", domain: "", endpoint: "/", code: null },
  ...{ status: "ok", id: null, identity: null, fields: {}, more: false, clipped: false },
};

interface Part {
  readonly tid?: number;
  readonly conn?: number;
}

/** Time goes on by 100 µs with each thing that happens. */
function startRun() {
  const parents = new Map<bigint, Candidate | undefined>();
  const stage = link.open(undefined, {
    emit: ({ exchange, candidates }) => void parents.set(exchange.spanId, candidates[0]),
    side() {},
    drop() {},
  });
  let nowNs = 1_000_000_000n;
  let nextId = 1n;

  function seen(
    direction: "ingress" | "egress",
    message: Partial<Message>,
    { tid = 1, conn = 1 }: Part,
  ): MessageSeen {
    nowNs += 100_000n;
    return {
      ...{ kind: "message", connection: connectionOf(conn), program, protocol: "test", tid },
      ...{ coroutine: 0n, turn: 0, direction, message: { ...blank, ...message } },
      ...{ startNs: nowNs, emitNs: nowNs, offset: 0, seq: -1, bytes: 1, endTid: tid },
    };
  }
  const tell = (kind: "opened" | "closed", exchange: Exchange): Exchange => {
    stage.left({ kind, exchange, emitNs: nowNs });
    return exchange;
  };
  const oneway = (direction: "ingress" | "egress", message: Partial<Message>, part: Part) => {
    const exchange = newExchange(nextId++, seen(direction, { ...message, kind: "oneway" }, part));
    tell("opened", exchange);
    return tell("closed", exchange);
  };
  const begin = (direction: "ingress" | "egress", message: Partial<Message>, part: Part = {}) =>
    tell("opened", newExchange(nextId++, seen(direction, message, part)));
  const end = (exchange: Exchange, part: Part = {}) => {
    const direction = exchange.request?.direction === "egress" ? "ingress" : "egress";
    respond(exchange, seen(direction, { kind: "response" }, part));
    return tell("closed", exchange);
  };
  return {
    begin,
    end,
    deliver: (part: Part = {}, more: Parameters<typeof envelope>[1] = {}) =>
      oneway("ingress", { type: "MSG", envelope: envelope("deliver", more) }, { conn: 3, ...part }),
    sendOn: (key: bigint, conn: number) =>
      oneway("egress", { envelope: envelope("deliver", { keys: [key] }) }, { conn }),
    publish: (key: bigint, conn: number) =>
      oneway("ingress", { envelope: envelope("publish", { keys: [key] }) }, { conn }),
    settle: (receipt: string) =>
      oneway("egress", { envelope: envelope("settle", { receipt }) }, { conn: 3 }),
    call: (part: Part = {}, message: Partial<Message> = {}) =>
      end(begin("egress", message, { conn: 20, ...part }), part),
    /** Nothing happens for so long. */
    wait: (ns: bigint) => {
      nowNs += ns;
      stage.advance(nowNs);
    },
    finish: () => stage.end(),
    parentOf: ({ spanId }: Exchange) => parents.get(spanId),
  };
}

Deno.test("messages: what a thread calls is for the message that it has read", () => {
  const run = startRun();
  const first = run.deliver();
  const calls = [run.call(), run.call()];
  const second = run.deliver();
  const later = run.call();
  run.finish();
  for (const call of calls) assert.equal(run.parentOf(call)?.parent_id, first.spanId);
  assert.equal(run.parentOf(later)?.parent_id, second.spanId);
  assert.ok((run.parentOf(later)?.score ?? 0) >= 0.95);
});

Deno.test("messages: the work is over when nothing more happens for long", () => {
  const run = startRun();
  run.deliver();
  run.call();
  run.wait(5_000_000_000n);
  const call = run.call();
  run.finish();
  assert.equal(run.parentOf(call), undefined);
});

Deno.test("messages: what a broker sends on follows from what it was handed", () => {
  const run = startRun();
  const published = run.publish(4n, 5);
  run.publish(6n, 6);
  const sent = run.sendOn(4n, 7);
  const unknown = run.sendOn(8n, 7);
  assert.deepEqual(
    [run.parentOf(sent)?.parent_id, run.parentOf(sent)?.evidence],
    [published.spanId, "message"],
  );
  assert.equal(run.parentOf(unknown), undefined);
});

Deno.test("messages: an acknowledgement is below the delivery that it names", () => {
  const run = startRun();
  const one = run.deliver({ tid: 1 }, { receipt: "1 1" });
  run.deliver({ tid: 2 }, { receipt: "1 2" });
  assert.equal(run.parentOf(run.settle("1 1"))?.parent_id, one.spanId);
  assert.equal(run.parentOf(run.settle("1 9")), undefined);
  run.wait(5_000_000_000n);
  assert.equal(run.parentOf(run.settle("1 1"))?.parent_id, one.spanId);
});

Deno.test("messages: to ask for more is not done for the message before", () => {
  const run = startRun();
  for (let i = 0; i < 3; i++) {
    run.deliver({}, { isPulled: true });
    run.call();
    run.call({ conn: 3 }, { envelope: envelope("receive") });
  }
  const last = run.call({ conn: 3 }, { envelope: envelope("receive") });
  run.finish();
  assert.equal(run.parentOf(last), undefined);
});

Deno.test("messages: what a request handler pops is part of the request", () => {
  const run = startRun();
  const request = run.begin("ingress", {}, { conn: 9 });
  run.call({ conn: 3 }, { envelope: envelope("receive") });
  run.deliver({}, { isPulled: true });
  const call = run.call();
  run.end(request, { conn: 9 });
  run.finish();
  assert.equal(run.parentOf(call)?.parent_id, request.spanId);
});
