// SPDX-License-Identifier: Apache-2.0
// What link says of single calls: which evidence decides, when it decides, and what it leaves open.

import assert from "node:assert/strict";
import type { Outputs } from "../../engine/operator.ts";
import type { Connection } from "../../model/connection.ts";
import type { DropReason } from "../../model/drops.ts";
import type { Exchange, SessionEvent } from "../../model/exchange.ts";
import { CERTAIN_FROM } from "../../model/link.ts";
import type { LinkedExchange } from "../../model/linked_exchange.ts";
import type { Identity, MessageSeen } from "../../model/message.ts";
import { NO_PROGRAM, type Program } from "../../model/process.ts";
import { link } from "./link.ts";

const shop: Program = { ...NO_PROGRAM, program: 1, tgid: 1, comm: "shop" };

interface Part {
  readonly tid?: number;
  readonly turn?: number;
  readonly conn?: number;
  readonly identity?: Identity;
  readonly program?: Program;
  readonly path?: string;
}

/** A run of link that is told, step by step, what a program does; one step is 1 ms. */
function startRun() {
  const sent: LinkedExchange[] = [];
  const dropped: DropReason[] = [];
  const out: Outputs<LinkedExchange, never, DropReason> = {
    emit: (record) => void sent.push(record),
    side: () => {},
    drop: (reason) => void dropped.push(reason),
  };
  const join = link.open(undefined, out);
  let nowNs = 1_000_000_000n;
  let spans = 0n;
  const tell = (kind: SessionEvent["kind"], exchange: Exchange) =>
    join.left({ kind, exchange, emitNs: nowNs });

  function open(direction: "ingress" | "egress", part: Part): Exchange {
    nowNs += 1_000_000n;
    const request = message(direction, "request", nowNs, part);
    const exchange: Exchange = {
      spanId: ++spans,
      connection: request.connection,
      program: request.program,
      protocol: "http",
      kind: direction === "ingress" ? "server" : "client",
      request,
      response: null,
      startNs: nowNs,
      endNs: nowNs,
      endTid: 0,
      endTurn: 0,
      bytesRequest: 1,
      bytesResponse: 0,
      status: "unknown",
      shape: "exchange",
      lateFields: null,
      clipped: false,
    };
    tell("opened", exchange);
    return exchange;
  }

  function close(exchange: Exchange, part: Part = {}): void {
    nowNs += 1_000_000n;
    const direction = exchange.kind === "server" ? "egress" : "ingress";
    exchange.response = message(direction, "response", nowNs, { tid: 1, ...part });
    exchange.endNs = nowNs;
    exchange.status = "ok";
    tell("closed", exchange);
  }

  return {
    join,
    sent,
    dropped,
    tell,
    read: (part: Part = {}) => open("ingress", { tid: 1, conn: 1, ...part }),
    call: (part: Part = {}) => open("egress", { tid: 1, conn: 2, ...part }),
    close,
    wait: (ns: bigint) => join.advance(nowNs += ns),
    /** The last that was said of an exchange. */
    said: (exchange: Exchange) => sent.findLast((record) => record.exchange === exchange),
  };
}

const connections = new Map<number, Connection>();

function connectionOf(conn: number): Connection {
  const known = connections.get(conn);
  if (known !== undefined) return known;
  const address = { ip: "127.0.0.1", port: conn };
  const connection: Connection = {
    conn,
    cookie: BigInt(conn),
    transport: "tcp",
    netns: 1,
    role: "unknown",
    local: address,
    peer: address,
    startNs: 1n,
    joinedMidstream: false,
    observer: "process",
    peerCookie: 0n,
  };
  connections.set(conn, connection);
  return connection;
}

function message(
  direction: "ingress" | "egress",
  kind: "request" | "response",
  emitNs: bigint,
  { tid = 1, turn = 0, conn = 1, identity, program = shop, path = "/" }: Part,
): MessageSeen {
  return {
    kind: "message",
    connection: connectionOf(conn),
    program,
    protocol: "http",
    tid,
    coroutine: 0n,
    turn,
    direction,
    message: {
      kind,
      type: "GET",
      resource: "/",
      domain: "",
      endpoint: path,
      code: null,
      status: "ok",
      id: null,
      identity: identity ?? null,
      fields: {},
      more: false,
      clipped: false,
    },
    startNs: emitNs,
    emitNs,
    offset: 0,
    seq: -1,
    bytes: 1,
    endTid: tid,
  };
}

Deno.test("link: one open request is the parent, and that is said when the call ends", () => {
  const run = startRun();
  const work = run.read();
  const call = run.call();
  run.close(call);
  const [best] = run.said(call)?.candidates ?? [];
  assert.equal(best?.parent_id, work.spanId);
  assert.equal(best?.evidence, "thread");
  assert.ok((best?.score ?? 0) > 0.95);
  assert.equal(run.said(call)?.revision, 0);
});

Deno.test("link: without an open request a call is a root", () => {
  const run = startRun();
  const call = run.call();
  run.close(call);
  assert.deepEqual(run.said(call)?.candidates, []);
});

Deno.test("link: what was sent before any request was read is a root, whenever it ends", () => {
  const run = startRun();
  const call = run.call({ conn: 7 });
  const work = run.read();
  run.close(call);
  run.close(work);
  assert.deepEqual(run.said(call)?.candidates, []);
});

Deno.test("link: the first call of a program that had only served is linked as well", () => {
  const run = startRun();
  for (let i = 0; i < 8; i++) run.close(run.read({ conn: i % 2 }));
  const work = run.read();
  const call = run.call();
  run.close(call);
  assert.equal(run.said(call)?.candidates[0]?.parent_id, work.spanId);
});

Deno.test("link: the calling thread tells requests apart that overlap", () => {
  const run = startRun();
  const works = [1, 2, 3].map((tid) => run.read({ tid, conn: tid }));
  for (const [i, work] of works.entries()) {
    const call = run.call({ tid: i + 1, conn: 10 + i });
    run.close(call, { tid: i + 1 });
    assert.equal(run.said(call)?.candidates[0]?.parent_id, work.spanId);
  }
});

Deno.test("link: an id in the bytes decides against the thread", () => {
  const run = startRun();
  const identity = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736" };
  const work = run.read({ tid: 1, conn: 1, identity });
  run.read({ tid: 2, conn: 3 });
  const call = run.call({ tid: 2, identity });
  run.close(call, { tid: 2 });
  const [best] = run.said(call)?.candidates ?? [];
  assert.deepEqual([best?.parent_id, best?.evidence], [work.spanId, "identity"]);
});

Deno.test("link: a request id links as well, even one that only the response tells", () => {
  const run = startRun();
  const work = run.read({ tid: 1, conn: 1, identity: { requestId: "r1" } });
  run.read({ tid: 9, conn: 3 });
  const call = run.call({ tid: 5, identity: { requestId: "r1" } });
  run.close(call, { tid: 5 });
  assert.equal(run.said(call)?.candidates[0]?.parent_id, work.spanId);
});

Deno.test("link: where nothing tells, the candidates are told and none is drawn as fact", () => {
  const run = startRun();
  const works = [1, 2, 3, 4, 5, 6, 7].map((tid) => run.read({ tid, conn: tid }));
  const call = run.call({ tid: 20 });
  run.close(call, { tid: 20 });
  for (const [i, work] of works.entries()) run.close(work, { tid: 40 + i, conn: i + 1 });
  const said = run.said(call);
  assert.equal(said?.candidates.length, 5);
  for (const { score } of said?.candidates ?? []) assert.ok(score < CERTAIN_FROM);
  assert.deepEqual(said?.candidates.map(({ rank }) => rank), [0, 1, 2, 3, 4]);
});

Deno.test("link: a work that ended before the call did is not its parent", () => {
  const run = startRun();
  const early = run.read({ tid: 1, conn: 1 });
  const late = run.read({ tid: 2, conn: 3 });
  const call = run.call({ tid: 20 });
  run.close(early, { tid: 1 });
  run.close(call, { tid: 20 });
  run.close(late, { tid: 2 });
  const [best] = run.said(call)?.candidates ?? [];
  assert.equal(best?.parent_id, late.spanId);
  assert.ok((best?.score ?? 0) >= CERTAIN_FROM);
});

Deno.test("link: an undecided call goes out without a parent, and again when it is decided", () => {
  const run = startRun();
  const works = [run.read({ tid: 1, conn: 1 }), run.read({ tid: 2, conn: 3 })];
  const call = run.call({ tid: 20 });
  run.close(call, { tid: 20 });
  assert.equal(run.said(call), undefined);
  run.wait(200_000_000n);
  assert.deepEqual([run.said(call)?.revision, run.said(call)?.candidates.length], [0, 0]);
  for (const work of works) run.close(work, { tid: 50 });
  assert.equal(run.said(call)?.revision, 1);
  assert.equal(run.said(call)?.candidates.length, 2);
});

Deno.test("link: the window closes on works that never end", () => {
  const run = startRun();
  run.read({ tid: 1, conn: 1 });
  run.read({ tid: 2, conn: 3 });
  const call = run.call({ tid: 20 });
  run.close(call, { tid: 20 });
  run.wait(11_000_000_000n);
  assert.equal(run.said(call)?.candidates.length, 2);
  assert.equal(run.said(call)?.revision, 0);
});

Deno.test("link: the end decides what is open, and nothing is lost", () => {
  const run = startRun();
  const work = run.read({ tid: 1, conn: 1 });
  run.read({ tid: 2, conn: 3 });
  const call = run.call({ tid: 20 });
  run.close(call, { tid: 20 });
  run.close(work);
  run.join.end();
  assert.ok(run.said(call) !== undefined && run.said(work) !== undefined);
});

Deno.test("link: programs do not mix", () => {
  const run = startRun();
  run.read({ tid: 1 });
  const other = { ...NO_PROGRAM, program: 2, tgid: 2 };
  const call = run.call({ program: other });
  run.close(call, { program: other });
  assert.deepEqual(run.said(call)?.candidates, []);
});

Deno.test("link: a stream goes out while it runs, with what is known then", () => {
  const run = startRun();
  const work = run.read();
  run.tell("streaming", work);
  run.close(work);
  assert.deepEqual(run.sent.map(({ revision }) => revision), [0, 1]);
});

Deno.test("link: what is held is bounded, and what is given up is counted", () => {
  const run = startRun();
  for (let i = 0; i < 6_000; i++) run.read({ tid: i, conn: i });
  assert.ok(run.dropped.includes("link_full"));
  const held = run.join.held();
  for (let i = 0; i < 3_000; i++) {
    const call = run.call({ tid: 100_000 + i, conn: 100_000 + i });
    run.close(call, { tid: 100_000 + i });
  }
  assert.ok(run.join.held() <= held + 2_048, String(run.join.held()));
});

Deno.test("link: on a loop of fixed delays a call belongs to a read so many turns before", () => {
  const run = startRun();
  const ask = (turn: number) => run.read({ conn: 1 + turn % 8, turn });
  const send = (turn: number) => run.call({ conn: 100 + turn % 8, turn });
  for (let turn = 100; turn < 300; turn += 10) {
    const work = ask(turn);
    const call = send(turn + 2);
    run.close(call, { turn: turn + 3 });
    run.close(work, { turn: turn + 6 });
  }
  const works = [400, 401, 402].map(ask);
  const call = send(403);
  run.close(call, { turn: 405 });
  for (const work of works) run.close(work, { turn: 420 });
  const [best] = run.said(call)?.candidates ?? [];
  assert.equal(best?.parent_id, works[1]?.spanId);
  assert.ok((best?.score ?? 0) > 0.5);
});

Deno.test("link: what holds of one request at a time is no proof where several are open", () => {
  const run = startRun();
  for (let turn = 100; turn < 300; turn += 10) {
    const work = run.read({ turn });
    const call = run.call({ turn });
    run.close(call, { turn: turn + 1 });
    run.close(work, { turn: turn + 1 });
  }
  const works = [1, 2, 3].map((conn) => run.read({ conn, turn: 400 }));
  const call = run.call({ turn: 400, conn: 9 });
  run.close(call, { turn: 401 });
  for (const [i, work] of works.entries()) run.close(work, { turn: 410 + i, conn: i + 1 });
  const [best] = run.said(call)?.candidates ?? [];
  assert.ok((best?.score ?? 1) < CERTAIN_FROM);
});

Deno.test("link: what requests of each kind do tells apart whose calls are whose", () => {
  const run = startRun();
  const work = (path: string, tid: number) => run.read({ path, tid, conn: tid });
  const ask = (path: string, tid: number) => run.call({ path, tid, conn: 100 + tid });
  const quietly = (path: string): void => {
    const request = work(path, 1);
    const call = ask(`${path}/end`, 2);
    run.close(call, { tid: 2 });
    run.close(request, { tid: 1 });
  };
  for (let i = 0; i < 30; i++) quietly(i % 2 === 0 ? "/a" : "/b");
  let right = 0;
  for (let i = 0; i < 60; i++) {
    const works = i % 2 === 0 ? [work("/a", 1), work("/b", 3)] : [work("/b", 1), work("/a", 3)];
    const call = ask("/b/end", 2);
    const other = ask("/a/end", 4);
    run.close(call, { tid: 2 });
    run.close(other, { tid: 4 });
    for (const each of works) run.close(each, { tid: 1 });
    const [best] = run.said(call)?.candidates ?? [];
    const isRight = best?.parent_id === works[i % 2 === 0 ? 1 : 0]?.spanId;
    if (isRight && (best?.score ?? 0) >= CERTAIN_FROM) right++;
  }
  assert.ok(right > 30, String(right));
});

Deno.test("link: one who waits no longer puts the line out of step only briefly", () => {
  const run = startRun();
  let turn = 100;
  for (let i = 0; i < 20; i++, turn += 2) {
    const work = run.read({ turn });
    const call = run.call({ turn, conn: 9 });
    run.close(call, { turn: turn + 1 });
    run.close(work, { turn: turn + 1 });
  }
  const owners = [run.read({ turn, conn: 1 })];
  let call = run.call({ turn, conn: 9 });
  const gone = run.read({ turn, conn: 2 });
  for (let conn = 3; conn < 64; conn++) owners.push(run.read({ turn, conn }));
  const calls = owners.map((owner) => {
    const ended = call;
    run.close(ended, { turn: ++turn });
    call = run.call({ turn, conn: 9 });
    run.close(owner, { turn });
    return ended;
  });
  run.close(gone, { turn });
  run.join.end();
  const scores = calls.map((call, i) => {
    const [best] = run.said(call)?.candidates ?? [];
    return best?.parent_id === owners[i]?.spanId ? best?.score ?? 0 : 0;
  });
  const sure = scores.filter((score) => score >= CERTAIN_FROM).length;
  assert.ok(sure > 20, scores.map((score) => score.toFixed(2)).join(" "));
});
