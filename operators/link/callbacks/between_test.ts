// SPDX-License-Identifier: Apache-2.0
// What is sent between two reads of one turn, by loops that act between them and by others.

import assert from "node:assert/strict";
import { startLoop } from "./loop_run_fixture.ts";

/** Turns in which two requests are read, each followed at once by a call; both are answered. */
function actBetweenReads() {
  const loop = startLoop();
  for (let turn = 1; turn <= 40; turn += 2) {
    const first = loop.read(turn, 1);
    const call = loop.send(turn, 11);
    const second = loop.read(turn, 2);
    const other = loop.send(turn, 12);
    loop.close(call, turn + 1);
    loop.close(first, turn + 1);
    loop.close(other, turn + 1);
    loop.close(second, turn + 1);
  }
  return loop;
}

Deno.test("between: a call is for what was read before it, once something else is read", () => {
  const { read, send } = actBetweenReads();
  const work = read(50, 1);
  const call = send(50, 11);
  assert.equal(call.origin?.by, "at_once");
  read(50, 2);
  assert.deepEqual([call.origin?.from, call.origin?.by], [work, "between"]);
});

Deno.test("between: after the last read of a turn, what it always leads to is as sure", () => {
  const { read, send } = actBetweenReads();
  const work = read(50, 1);
  const call = send(50, 11);
  read(51, 2);
  assert.deepEqual([call.origin?.from, call.origin?.by], [work, "between"]);
});

Deno.test("between: what comes in another turn than the read is never so", () => {
  const { read, send } = actBetweenReads();
  read(50, 1);
  const call = send(51, 11);
  read(51, 2);
  assert.notEqual(call.origin?.by, "between");
});

Deno.test("between: it proves nothing of loops that put off what follows", () => {
  const { read, send, close } = startLoop();
  for (let turn = 1; turn <= 80; turn += 4) {
    const works = [read(turn, 1), read(turn, 2)];
    const calls = [send(turn + 1, 11), send(turn + 1, 12)];
    for (const call of calls) close(call, turn + 2);
    for (const work of works) close(work, turn + 3);
  }
  read(100, 1);
  const call = send(100, 11);
  read(100, 2);
  assert.notEqual(call.origin?.by, "between");
});
