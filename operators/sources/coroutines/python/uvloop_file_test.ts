// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readElf } from "../elf_file.ts";
import { findQueueing, uvloopIn } from "./uvloop_file.ts";
import { jumps, JUMPS_AT, SLOTS, uvloopLibrary as library } from "./uvloop_library_fixture.ts";

function found(file: Uint8Array): number | null {
  const elf = readElf({ read: (at, bytes) => file.slice(at, at + bytes) });
  return elf === null ? null : findQueueing(elf);
}

Deno.test("uvloop file: the jump by which sets are added to", () => {
  assert.equal(found(library(jumps([SLOTS, SLOTS + 8]))), JUMPS_AT + 16);
  assert.equal(found(library(jumps([SLOTS, SLOTS + 8]), "PySet_Add", ".rela.dyn")), JUMPS_AT + 16);
});

Deno.test("uvloop file: a jump behind a landing pad", () => {
  const landing = [0xf3, 0x0f, 0x1e, 0xfa];
  assert.equal(found(library(jumps([SLOTS + 8, SLOTS], landing))), JUMPS_AT + 4);
});

Deno.test("uvloop file: where nothing of the kind is called, nothing is found", () => {
  assert.equal(found(library(jumps([SLOTS, SLOTS + 8]), "PySet_Pop")), null);
  assert.equal(found(library(jumps([SLOTS]))), null);
  assert.equal(found(library(jumps([SLOTS + 8])).slice(0, 200)), null);
});

Deno.test("uvloop file: which file a process has loaded", () => {
  const path = "/usr/lib/python3/dist-packages/uvloop/loop.cpython-311-x86_64-linux-gnu.so";
  const line = (path: string) =>
    `7f10-7f20 r--p 00000000 fd:00 1234                       ${path}\n`;
  assert.equal(uvloopIn(line("/usr/lib/libuv.so.1.0.0") + line(path)), path);
  assert.equal(uvloopIn(line("/usr/lib/libuv.so.1.0.0")), null);
});
