// SPDX-License-Identifier: Apache-2.0
// What calls on nobody's behalf do to links that rest on who was there.

import assert from "node:assert/strict";
import { type Call, startProgram } from "../program.ts";
import { noteUnowned, surenessOfPresence } from "./unowned.ts";

function surenessAfter(idle: number, alone: number, requests = 1): number {
  const program = { ...startProgram(1), nextOrder: requests };
  for (let i = 0; i < idle; i++) noteUnowned({ openBefore: 0 } as Call, program);
  for (let i = 0; i < alone; i++) noteUnowned({ openBefore: 1 } as Call, program);
  return surenessOfPresence(program);
}

Deno.test("unowned: who is there is the cause while a program calls for requests alone", () => {
  assert.equal(surenessAfter(0, 100), 1);
  assert.equal(surenessAfter(7, 0), 1);
});

Deno.test("unowned: calls while nobody waits make presence prove little", () => {
  assert.equal(surenessAfter(50, 150), 0.75);
});

Deno.test("unowned: what is opened before the first request does not count", () => {
  assert.equal(surenessAfter(50, 0, 0), 1);
});
