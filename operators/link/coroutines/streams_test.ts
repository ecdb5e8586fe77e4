// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { CoroutineTask } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import { type Place, startCoroutineRun } from "./coroutine_run_fixture.ts";

/** A program that shares connections: who reads or writes is not who works. Each step is 1 ms. */
function startRun() {
  const run = startCoroutineRun();
  return {
    read: (place: Place) => run.open("server", place),
    send: (place: Place) => run.open("client", place),
    close: run.close,
    tell(task: CoroutineTask, ...line: bigint[]): void {
      run.step();
      run.tell(line.map((coroutine) => ({ coroutine, bornNs: run.nowNs() })), task);
    },
    parentOf(exchange: Exchange): bigint | undefined {
      const best = run.bestOf(exchange);
      return best?.evidence === "thread" && best.score > 0.9 ? best.parent_id : undefined;
    },
  };
}

const [READER, WRITER, MAIN] = [5n, 6n, 1n];
const object = 0xc000_1234_5678n;

Deno.test("streams: each is worked on by the coroutine that is told, and by its children", () => {
  const run = startRun();
  run.tell({ what: "reads", object }, READER, MAIN);
  const one = run.read({ by: READER, conn: 1, stream: 1 });
  const two = run.read({ by: READER, conn: 1, stream: 3 });
  run.tell({ what: "handles", object, stream: 3 }, 30n, MAIN);
  run.tell({ what: "handles", object, stream: 1 }, 10n, MAIN);
  const [ofOne, ofTwo] = [10n, 30n].map((by) => run.send({ by, conn: 2, stream: 1 }));
  assert.ok(ofOne !== undefined && ofTwo !== undefined);
  for (const [each, by] of [[ofTwo, 30n], [ofOne, 10n], [one, WRITER], [two, WRITER]] as const) {
    run.close(each, by);
  }
  assert.equal(run.parentOf(ofOne), one.spanId);
  assert.equal(run.parentOf(ofTwo), two.spanId);
});

Deno.test("streams: who begins the next is done with the one before, answered or not", () => {
  const run = startRun();
  run.tell({ what: "reads", object }, READER, MAIN);
  const one = run.read({ by: READER, conn: 1, stream: 1 });
  const two = run.read({ by: READER, conn: 1, stream: 3 });
  run.tell({ what: "handles", object, stream: 1 }, 10n, MAIN);
  run.tell({ what: "handles", object, stream: 3 }, 10n, MAIN);
  const call = run.send({ by: 10n, conn: 2, stream: 1 });
  run.close(one, WRITER);
  run.close(call, 10n);
  run.close(two, WRITER);
  assert.equal(run.parentOf(call), two.spanId);
});

Deno.test("streams: of an older connection, where only one has such a stream", () => {
  const run = startRun();
  const [one, two, three] = [
    run.read({ by: READER, conn: 1, stream: 5 }),
    run.read({ by: 7n, conn: 2, stream: 9 }),
    run.read({ by: 8n, conn: 3, stream: 9 }),
  ];
  run.tell({ what: "handles", object, stream: 5 }, 10n, MAIN);
  run.tell({ what: "handles", object: 77n, stream: 9 }, 20n, MAIN);
  const known = run.send({ by: 10n, conn: 4, stream: 1 });
  const unknown = run.send({ by: 20n, conn: 5, stream: 1 });
  run.close(known, 10n);
  run.close(unknown, 20n);
  for (const each of [one, two, three]) run.close(each, WRITER);
  assert.equal(run.parentOf(known), one.spanId);
  assert.equal(run.parentOf(unknown), undefined);
});

Deno.test("streams: one writes for all, and who sends is told before or after", () => {
  const run = startRun();
  run.tell({ what: "reads", object }, READER, MAIN);
  const [one, two] = [
    run.read({ by: 10n, conn: 1, stream: 1 }),
    run.read({ by: 20n, conn: 2, stream: 1 }),
  ];
  const first = run.send({ by: WRITER, conn: 3, stream: 1 });
  run.tell({ what: "sends", object, stream: 1 }, 20n, MAIN);
  run.close(first, READER);
  run.tell({ what: "sends", object, stream: 3 }, 10n, MAIN);
  const second = run.send({ by: WRITER, conn: 3, stream: 3 });
  const third = run.send({ by: WRITER, conn: 3, stream: 5 });
  run.tell({ what: "sends", object, stream: 5 }, 20n, MAIN);
  for (const each of [third, second]) run.close(each, READER);
  for (const each of [one, two]) run.close(each, WRITER);
  assert.equal(run.parentOf(first), two.spanId);
  assert.equal(run.parentOf(second), one.spanId);
  assert.equal(run.parentOf(third), two.spanId);
});
