// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { dataEventAt, dataEventBytes, eventHeaderBytes, knobAt } from "../event.gen.ts";
import { eventLayout } from "./event_layout.ts";
import { readBtf } from "./btf.ts";

const object = Deno.readFileSync(new URL("../spandrel.bpf.o", import.meta.url));

Deno.test("event.gen.ts is what the built object says", async () => {
  const kept = await Deno.readTextFile(new URL("../event.gen.ts", import.meta.url));
  assert.equal(kept, eventLayout(object), "run `deno task bpf`");
});

Deno.test("layout: nested structs are flat, sizes are those event.h asserts", () => {
  assert.equal(eventHeaderBytes, 64);
  assert.equal(dataEventBytes, 200);
  assert.equal(dataEventAt.cookie, 64);
  assert.equal(dataEventAt.verdict, 193);
});

Deno.test("layout: the object's knobs have places of their own", () => {
  const offsets = Object.values(knobAt).map((knob) => knob.offset);
  assert.equal(new Set(offsets).size, offsets.length);
});

Deno.test("readBtf: enums and structs of the object", () => {
  const btf = readBtf(object);
  assert.equal(btf.enums.get("verdict")?.get("VERDICT_IGNORE"), 4);
  const header = btf.structs.get("event_header");
  assert.deepEqual(header?.members.at(-1), { name: "comm", offset: 48, bytes: 16, struct: "" });
});

Deno.test("readBtf: what is not an object is refused in a sentence", () => {
  assert.throws(() => readBtf(new Uint8Array(100)), /Cannot read BTF: the file is not an ELF/);
});
