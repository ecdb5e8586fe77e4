// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { pythonOffsetsOf } from "./python_layout.ts";
import { fixtureMemory, type FixtureProcess } from "./python_memory_fixture.ts";
import { findPythonTasks, type Progress } from "./python_tasks.ts";

function look(process: FixtureProcess, progress?: Progress) {
  const memory = fixtureMemory(process);
  const offsets = pythonOffsetsOf({ minor: process.minor, isFreeThreaded: false });
  assert.ok(typeof offsets !== "string");
  return { at: memory.at, found: findPythonTasks(memory, offsets, memory.runtime, progress) };
}

for (const minor of [8, 9, 10, 11, 12, 13]) {
  Deno.test(`python tasks: where Python 3.${minor} keeps them`, () => {
    const { at, found } = look({ minor });
    assert.ok(found.kind === "found", found.kind);
    const { layout } = found;
    assert.equal(layout.currentTasks, at["currentTasks"]);
    assert.equal(layout.threads, at["threads"]);
    assert.equal(layout.loopKey, at["loopKey"]);
    assert.equal(layout.taskType, at["task"]);
    assert.equal(layout.futureType, at["future"]);
    assert.equal(layout.textType, at["str"]);
    assert.equal(layout.functionType, at["function"]);
    assert.equal(layout.methodType, at["method"]);
    assert.equal(layout.partialType, at["partial"]);
  });
}

Deno.test("python tasks: before asyncio is there and has run a loop, it is waited for", () => {
  assert.equal(look({ minor: 11, modules: ["sys"] }).found.kind, "waiting");
  assert.equal(look({ minor: 11, hasLoop: false }).found.kind, "waiting");
  assert.equal(look({ minor: 13, hasLoop: false }).found.kind, "found");
});

Deno.test("python tasks: modules are looked through again once there are more", () => {
  const progress = { modules: -1, asyncio: 0 };
  look({ minor: 11, modules: ["sys"] }, progress);
  assert.deepEqual(progress, { modules: 1, asyncio: 0 });
  assert.equal(look({ minor: 11 }, progress).found.kind, "found");
});

Deno.test("python tasks: what is laid out in another way is refused, and why", () => {
  const reasons = [
    look({ minor: 11, dictType: "module" }).found,
    look({ minor: 11, taskType: "asyncio.Task" }).found,
  ].map((found) => found.kind === "unreadable" ? found.reason : found.kind);
  assert.match(reasons[0] ?? "", /its modules are no dict/);
  assert.match(reasons[1] ?? "", /its tasks are of another type/);
  assert.match(String(pythonOffsetsOf({ minor: 14, isFreeThreaded: false })), /it is Python 3\.14/);
  assert.match(String(pythonOffsetsOf({ minor: 13, isFreeThreaded: true })), /interpreter lock/);
});
