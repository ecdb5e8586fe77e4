// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { isTaskRunner, onTaskRunnerEnd } from "./task_runner.ts";

const runner = { tgid: 7, exe: "/usr/bin/deno", argv: ["deno", "task", "--quiet", "trace"] };
const shell = { tgid: 7, exe: "/usr/bin/bash", argv: ["bash", "-c", "deno task trace"] };

Deno.test("only deno task counts as a task runner", () => {
  assert.equal(isTaskRunner(runner), true);
  assert.equal(isTaskRunner({ ...runner, argv: ["deno", "-q", "task", "trace"] }), true);
  assert.equal(isTaskRunner({ ...runner, argv: ["deno", "run", "task"] }), false);
  assert.equal(isTaskRunner(shell), false);
});

Deno.test("the tracer stops once when its task runner has gone, and for no other parent", () => {
  const stops: string[] = [];
  const looks = new Set<() => void>();
  let parent = 7;
  const host = {
    parentNow: () => parent,
    every(look: () => void) {
      looks.add(look);
      return { [Symbol.dispose]: () => void looks.delete(look) };
    },
  };
  using _runner = onTaskRunnerEnd([runner], () => stops.push("runner"), host);
  using _shell = onTaskRunnerEnd([shell], () => stops.push("shell"), host);
  for (const look of looks) look();
  assert.deepEqual(stops, []);
  parent = 1;
  for (const look of looks) look();
  assert.deepEqual(stops, ["runner"]);
  assert.equal(looks.size, 0);
});
