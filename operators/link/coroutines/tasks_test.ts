// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LIKELY_STARTER } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import { startCoroutineRun } from "./coroutine_run_fixture.ts";

/** A loop on one thread, which reads for all tasks; tasks send. Each step is 1 ms. */
function startRun() {
  const run = startCoroutineRun();
  return {
    read: (conn: number) => run.open("server", { by: 0n, conn }),
    answer: run.close,
    /** A call that is answered at once. */
    call(task: bigint): Exchange {
      const call = run.open("client", { by: task, conn: 1_000 + Number(task) });
      run.close(call, 0n);
      return call;
    },
    /** Each of the line is awaited by the next one. */
    awaits: (...line: bigint[]) =>
      run.tell(line.map((coroutine) => ({ coroutine, bornNs: run.nowNs() }))),
    /** The task is started right after what was told last, most likely by this one. */
    starts: (task: bigint, by: bigint) =>
      run.tell([
        { coroutine: task, bornNs: run.nowNs() },
        { coroutine: by + LIKELY_STARTER, bornNs: 0n },
      ]),
    /** Where the task tells it. */
    parentOf(exchange: Exchange): bigint | undefined {
      const best = run.bestOf(exchange);
      const isTold = best?.votes.includes("coroutine") === true && best.score > 0.99;
      return isTold ? best.parent_id : undefined;
    },
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
