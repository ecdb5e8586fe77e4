// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { NO_PROGRAM } from "../../../../model/process.ts";
import { bytesOf, fixtureLibrary, LINKED_AT, symbolsOf } from "./library_fixture.ts";
import { fixtureMemory } from "./python_memory_fixture.ts";
import { pythonWatch } from "./python_watch.ts";
import { surveyPython } from "./survey_python.ts";
import { uvloopLibrary } from "./uvloop_library_fixture.ts";

const LOADED_AT = 0x1000;

/** A library that offers _PyRuntime, `at` bytes from where it is loaded. */
const libraryWith = (at: number): Uint8Array =>
  fixtureLibrary([
    { name: ".dynstr", bytes: bytesOf("\0_PyRuntime\0") },
    {
      ...{ name: ".dynsym", type: 11, link: ".dynstr" },
      bytes: symbolsOf({ nameAt: 1, value: LINKED_AT + at }),
    },
  ]);

/** Files of a process with such a memory. */
const filesOf = (memory: ReturnType<typeof fixtureMemory>) => (path: string) => {
  const library = libraryWith(memory.runtime - LOADED_AT);
  const read = (at: number, bytes: number) =>
    path.endsWith("/mem")
      ? new Uint8Array(memory.read(at, bytes))
      : (path.includes("uvloop") ? uvloopLibrary() : library).slice(at, at + bytes);
  return { identity: path, read, [Symbol.dispose]() {} };
};

/** A host on which each process runs Python 3.11; `memory` is what it has in memory by then. */
function startHost(library = "/usr/lib/libpython3.11.so.1.0") {
  const told: string[] = [];
  const libraries = [library];
  let memory = fixtureMemory({ minor: 11, modules: ["sys"] });
  let nowMs = 0;
  const watch = pythonWatch({
    nowMs: () => nowMs,
    programs: {
      add: (tgid, { currentTasks }) =>
        void told.push(`${tgid} ${currentTasks === memory.at["currentTasks"]}`),
      attach: (path) => void told.push(path),
      whyNot: null,
    },
    text: () =>
      libraries.map((library) =>
        `00001000-00002000 r--p 00000000 fd:00 7   ${library}\n` +
        `00002000-00003000 r-xp 00001000 fd:00 7   ${library}\n`
      ).join(""),
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
    maps: (library: string) => void libraries.push(library),
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

Deno.test("python watch: uvloop is probed, also if it is loaded later", () => {
  const { told, fact, loads, maps, wait } = startHost();
  loads(fixtureMemory({ minor: 11 }));
  fact("exec", 10);
  wait(100);
  assert.deepEqual(told, ["10 true"]);
  maps("/lib/uvloop/loop.cpython-311-x86_64-linux-gnu.so");
  wait(1_000);
  wait(1_000);
  assert.equal(told.length, 2);
  assert.match(told[1] ?? "", /uvloop/);
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
