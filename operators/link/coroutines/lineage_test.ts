// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Exchange } from "../../../model/exchange.ts";
import { startCoroutineRun, STEP_NS } from "./coroutine_run_fixture.ts";

/** A Go program: each goroutine reads or sends on a connection of its own. Each step is 1 ms. */
function startRun() {
  const run = startCoroutineRun();
  const open = (kind: "server" | "client", by: bigint, afterNs = STEP_NS) =>
    run.open(kind, { by, conn: Number(by) }, afterNs);
  return {
    read: (coroutine: bigint) => open("server", coroutine),
    send: (coroutine: bigint) => open("client", coroutine),
    readSeveral: (coroutine: bigint, count: number) =>
      Array.from({ length: count }, () => open("server", coroutine, 0n)),
    close: (exchange: Exchange, coroutine = exchange.request?.coroutine ?? 0n) =>
      run.close(exchange, coroutine),
    /** Each of the line is started by the next one. */
    start(...line: bigint[]): void {
      run.step();
      run.tell(line.map((coroutine) => ({ coroutine, bornNs: run.nowNs() })));
    },
    /** It has received what the other one, if there is one, sent to it. */
    give(coroutine: bigint, by?: bigint, isLooping = true): void {
      run.step();
      const line = by === undefined ? [coroutine] : [coroutine, by];
      const births = line.map((each) => ({ coroutine: each, bornNs: run.nowNs() }));
      run.tell(births, { what: "given", isLooping });
    },
    parentOf(exchange: Exchange): bigint | undefined {
      const best = run.bestOf(exchange);
      return best?.evidence === "thread" && best.score > 0.9 ? best.parent_id : undefined;
    },
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

Deno.test("link: what a worker was given last is what it works on", () => {
  const run = startRun();
  const [one, two] = [run.read(10n), run.read(20n)];
  run.start(30n, 1n);
  run.give(30n, 20n);
  const ofTwo = run.send(30n);
  run.give(30n, 10n);
  const ofOne = run.send(30n);
  run.give(30n);
  const ofNobody = run.send(30n);
  for (const each of [ofTwo, ofOne, ofNobody, one, two]) run.close(each);
  assert.equal(run.parentOf(ofTwo), two.spanId);
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofNobody), undefined);
});

Deno.test("link: what was given counts from when it was sent, not when it is worked on", () => {
  const run = startRun();
  const first = run.read(10n);
  run.give(30n, 10n);
  run.close(first);
  const [next, other] = [run.read(10n), run.read(20n)];
  const late = run.send(30n);
  for (const each of [late, next, other]) run.close(each);
  assert.equal(run.parentOf(late), first.spanId);
});

Deno.test("link: who works for an open request is given no other one until it is over", () => {
  const run = startRun();
  const [one, two] = [run.read(10n), run.read(20n)];
  run.start(30n, 10n);
  run.give(30n, 20n);
  const unclear = run.send(30n);
  run.close(unclear);
  run.close(one);
  const after = run.send(30n);
  for (const each of [after, two]) run.close(each);
  assert.equal(run.parentOf(unclear), undefined);
  assert.equal(run.parentOf(after), two.spanId);
});

Deno.test("link: what is fetched for a request, after its answer too, was left by another", () => {
  const run = startRun();
  const [one, two] = [run.read(10n), run.read(20n)];
  run.start(30n, 10n);
  run.close(one);
  run.give(30n, 20n, false);
  const call = run.send(30n);
  for (const each of [call, two]) run.close(each);
  assert.equal(run.parentOf(call), one.spanId);
});

Deno.test("link: of requests that were read in one go it is not known which one was given", () => {
  const run = startRun();
  const both = run.readSeveral(10n, 2);
  run.give(30n, 10n);
  const call = run.send(30n);
  for (const each of [call, ...both]) run.close(each);
  assert.equal(run.parentOf(call), undefined);
});
