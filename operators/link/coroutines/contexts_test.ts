// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { FIRST_CONTEXT } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import { startCoroutineRun } from "./coroutine_run_fixture.ts";

/** A Node program: one thread reads all, and says what it writes for. Each step is 1 ms. */
function startRun() {
  const run = startCoroutineRun();
  const context = (number: bigint) => FIRST_CONTEXT + number;
  const line = (number: bigint) => [{ coroutine: context(number), bornNs: 0n }];
  const on = (conn: number, stream: number) => ({ object: BigInt(conn), stream });
  return {
    read: (conn: number, stream: number | null = null) =>
      run.open("server", { by: 0n, conn, stream }),
    begin: (number: bigint, conn: number, stream = 0) =>
      run.tell(line(number), { what: "begins", ...on(conn, stream) }),
    send: (conn: number, number: bigint) => run.open("client", { by: context(number), conn }),
    gather: (conn: number, stream: number) => run.open("client", { by: 0n, conn, stream }),
    sends: (number: bigint, conn: number, stream: number) =>
      run.tell(line(number), { what: "sends", ...on(conn, stream) }),
    answer: (exchange: Exchange, number: bigint) => run.close(exchange, context(number)),
    hear: (exchange: Exchange) => run.close(exchange, 0n),
    parentOf(exchange: Exchange): bigint | undefined {
      const best = run.bestOf(exchange);
      return best?.evidence === "thread" && best.score > 0.95 ? best.parent_id : undefined;
    },
  };
}

Deno.test("link: what a context sends is for the request that it began with", () => {
  const run = startRun();
  const works = [run.read(1), run.read(2), run.read(3)];
  works.forEach((_, i) => run.begin(BigInt(i + 1), i + 1));
  const calls = [3, 1, 2].map((number) => run.send(10 + number, BigInt(number)));
  for (const call of calls) run.hear(call);
  works.forEach((work, i) => run.answer(work, BigInt(i + 1)));
  assert.deepEqual(calls.map(run.parentOf), [3, 1, 2].map((number) => works[number - 1]?.spanId));
});

Deno.test("link: contexts begin with the requests of a connection in order", () => {
  const run = startRun();
  const works = [run.read(1), run.read(1), run.read(1)];
  works.forEach((_, i) => run.begin(BigInt(i + 1), 1));
  const calls = [2, 3, 1].map((number) => run.send(10 + number, BigInt(number)));
  for (const call of calls) run.hear(call);
  works.forEach((work, i) => run.answer(work, BigInt(i + 1)));
  assert.deepEqual(calls.map(run.parentOf), [2, 3, 1].map((number) => works[number - 1]?.spanId));
});

Deno.test("link: a context works on for its request after the answer", () => {
  const run = startRun();
  const first = run.read(1);
  run.begin(1n, 1);
  run.answer(first, 1n);
  const [next, other] = [run.read(1), run.read(2)];
  run.begin(2n, 1);
  const late = run.send(11, 1n);
  for (const each of [late, next, other]) run.hear(each);
  assert.equal(run.parentOf(late), first.spanId);
});

Deno.test("link: of streams that are written at once, who sends each is told", () => {
  const run = startRun();
  const [one, two] = [run.read(1, 1), run.read(1, 3)];
  run.begin(2n, 1, 3);
  run.begin(1n, 1, 1);
  run.sends(2n, 9, 1);
  const [ofTwo, ofOne] = [run.gather(9, 1), run.gather(9, 3)];
  run.sends(1n, 9, 3);
  for (const each of [ofOne, ofTwo, two, one]) run.hear(each);
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofTwo), two.spanId);
});

Deno.test("link: a context that began before it could be told links nothing", () => {
  const run = startRun();
  const [one, two] = [run.read(1), run.read(2)];
  const call = run.send(11, 7n);
  for (const each of [call, two, one]) run.hear(each);
  assert.equal(run.parentOf(call), undefined);
});
