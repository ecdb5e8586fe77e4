// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { threadById } from "./events/thread_of.ts";
import { beginToAsk, onlyAsks, onlyServes } from "./one_sided.ts";
import { startProgram, type Work } from "./program.ts";

Deno.test("one_sided: with the first call all that was read and not answered waits", () => {
  const program = startProgram(0);
  assert.ok(onlyAsks(program) && onlyServes(program));
  const [first, second, third] = [0, 1, 2].map((order) => ({ order }) as Work);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const loop = threadById(1, program);
  loop.open.push(first, second, third);
  loop.last = third;
  threadById(2, program);
  beginToAsk(program);
  assert.equal(onlyServes(program), false);
  assert.deepEqual(loop.waiting, [first, second]);
  assert.deepEqual(threadById(2, program).waiting, []);
});
