// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { jumps, JUMPS_AT, uvloopLibrary } from "./uvloop_library_fixture.ts";
import { uvloopProbes } from "./uvloop_probes.ts";

const PATH = "/lib/uvloop/loop.cpython-311-x86_64-linux-gnu.so";

/** Processes by number, each with the libraries that it has loaded. */
function startHost(
  loaded: Readonly<Record<number, string>>,
  { file = uvloopLibrary(), whyNot = null }: { file?: Uint8Array; whyNot?: string | null } = {},
) {
  const attached: string[] = [];
  const look = uvloopProbes({
    text: (path) => {
      const library = loaded[Number(path.split("/")[2])];
      return library === undefined ? undefined : `10-20 r--p 00000000 fd:00 7   ${library}\n`;
    },
    open: (path) => ({
      identity: path.replace(/^\/proc\/\d+/, ""),
      read: (at, bytes) => file.slice(at, at + bytes),
      [Symbol.dispose]() {},
    }),
    programs: {
      add() {},
      attach: (path, offset) => void attached.push(`${path} ${offset}`),
      whyNot,
    },
  });
  return { look: (tgid: number) => look(tgid), attached };
}

Deno.test("uvloop probes: a file is probed once, whoever has loaded it", () => {
  const { look, attached } = startHost({ 10: "/lib/libuv.so", 11: PATH, 12: PATH });
  assert.deepEqual([9, 10, 11, 12].map((tgid) => look(tgid).kind), [
    "none",
    "none",
    "probed",
    "probed",
  ]);
  assert.deepEqual(attached, [`/proc/11/root${PATH} ${JUMPS_AT + 16}`]);
});

Deno.test("uvloop probes: why it is not probed", () => {
  const reason = (look: (tgid: number) => unknown) => JSON.stringify(look(11));
  assert.match(
    reason(startHost({ 11: PATH }, { whyNot: "probes are off" }).look),
    /probes are off/,
  );
  const other = startHost({ 11: PATH }, { file: uvloopLibrary(jumps([])) });
  assert.match(reason(other.look), /not built as expected/);
  assert.deepEqual(other.attached, []);
});
