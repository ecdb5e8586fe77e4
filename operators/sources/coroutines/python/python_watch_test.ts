// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { NO_PROGRAM } from "../../../../model/process.ts";
import { fixtureMemory } from "./python_memory_fixture.ts";
import { pythonWatch } from "./python_watch.ts";
import { surveyPython } from "./survey_python.ts";

const LINKED_AT = 0x4000;
const LOADED_AT = 0x1000;

/** A library whose only symbol is _PyRuntime, `at` bytes from where it is loaded. */
function libraryWith(at: number): Uint8Array {
  const file = new Uint8Array(512);
  const view = new DataView(file.buffer);
  const word = (to: number, value: number) => view.setBigUint64(to, BigInt(value), true);
  [0x7f, 0x45, 0x4c, 0x46, 2, 1].forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(16, 3, true);
  view.setUint16(18, 62, true);
  word(32, 64);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  word(80, LINKED_AT);
  word(40, 128);
  view.setUint16(58, 64, true);
  view.setUint16(60, 2, true);
  view.setUint32(128 + 4, 11, true);
  word(128 + 24, 256);
  word(128 + 32, 24);
  view.setUint32(128 + 40, 1, true);
  word(192 + 24, 288);
  word(192 + 32, 16);
  view.setUint32(256, 1, true);
  word(264, LINKED_AT + at);
  file.set(new TextEncoder().encode("\0_PyRuntime\0"), 288);
  return file;
}

/** Files of a process with such a memory. */
const filesOf = (memory: ReturnType<typeof fixtureMemory>) => (path: string) => {
  const library = libraryWith(memory.runtime - LOADED_AT);
  const read = (at: number, bytes: number) =>
    path.endsWith("/mem") ? new Uint8Array(memory.read(at, bytes)) : library.slice(at, at + bytes);
  return { identity: "library", read, [Symbol.dispose]() {} };
};

/** A host on which each process runs Python 3.11; `memory` is what it has in memory by then. */
function startHost(library = "/usr/lib/libpython3.11.so.1.0") {
  const told: string[] = [];
  let memory = fixtureMemory({ minor: 11, modules: ["sys"] });
  let nowMs = 0;
  const watch = pythonWatch({
    nowMs: () => nowMs,
    programs: {
      add: (tgid, { currentTasks }) =>
        void told.push(`${tgid} ${currentTasks === memory.at["currentTasks"]}`),
    },
    text: () =>
      `00001000-00002000 r--p 00000000 fd:00 7   ${library}\n` +
      `00002000-00003000 r-xp 00001000 fd:00 7   ${library}\n`,
    open: (path) => filesOf(memory)(path),
  });
  const fact = (what: "exec" | "fork" | "exit", tgid: number, parentTgid = 0) =>
    watch.take({
      ...{ kind: "process", what, emitNs: 0n },
      program: { ...NO_PROGRAM, tgid, parentTgid, exe: "/usr/bin/python3.11" },
    });
  return {
    ...{ watch, told, fact },
    loads: (next: ReturnType<typeof fixtureMemory>) => void (memory = next),
    wait(ms: number) {
      nowMs += ms;
      watch.look();
    },
  };
}

Deno.test("python watch: a process is looked at until asyncio runs in it", () => {
  const { told, fact, loads, wait } = startHost();
  fact("exec", 10);
  wait(100);
  assert.deepEqual(told, []);
  loads(fixtureMemory({ minor: 11 }));
  wait(10_000);
  wait(10_000);
  assert.deepEqual(told, ["10 true"]);
});

Deno.test("python watch: a child is read as its parent is", () => {
  const { told, fact, loads } = startHost();
  loads(fixtureMemory({ minor: 11 }));
  fact("exec", 10);
  fact("fork", 11, 10);
  fact("fork", 12, 9);
  assert.deepEqual(told, ["10 true", "11 true"]);
});

Deno.test("python watch: what cannot be told, while the process is there", () => {
  const { watch, told, fact } = startHost("/usr/lib/libpython3.14.so.1.0");
  fact("exec", 10);
  watch.meet(11, "/usr/sbin/nginx");
  assert.deepEqual(told, []);
  assert.deepEqual(watch.gaps().map(({ tgid }) => tgid), [10]);
  assert.match(watch.gaps()[0]?.gap ?? "", /it is Python 3\.14/);
  fact("exit", 10);
  assert.deepEqual(watch.gaps(), []);
});

Deno.test("python survey: what runs a loop, and what cannot be told", () => {
  const survey = (library?: string, modules?: string[]) =>
    surveyPython([{ tgid: 10, exe: "/usr/bin/python3" }], {
      text: () => `00001000-00002000 r--p 00000000 fd:00 7   ${library}\n`,
      open: filesOf(fixtureMemory({ minor: 11, ...(modules === undefined ? {} : { modules }) })),
    });
  assert.deepEqual(survey("/lib/libpython3.11.so").map(({ gap }) => gap), [""]);
  assert.deepEqual(survey("/lib/libpython3.11.so", ["sys"]), []);
  assert.match(survey("/lib/libpython3.7m.so")[0]?.gap ?? "", /it is Python 3\.7/);
});
