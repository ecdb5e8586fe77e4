// SPDX-License-Identifier: Apache-2.0
// What a loop's call follows from where it is not sent at once after what it follows from.

import assert from "node:assert/strict";
import { startLoop } from "./callbacks/loop_run_fixture.ts";

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
