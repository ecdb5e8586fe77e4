// SPDX-License-Identifier: Apache-2.0
// Every fixture of tests/golden shows what its protocol makes of bytes; and with each come four
// properties for nothing. `UPDATE_GOLDEN=1 deno test -RWE tests/golden_test.ts` writes what is
// read now: look at the difference before you believe it.

import assert from "node:assert/strict";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import { type AnyProtocol, createRegistry } from "../operators/wire/registry.ts";
import {
  type Case,
  type Fixture,
  parseFixture,
  withExpected,
} from "./support/wire/golden_fixture.ts";
import { runGolden } from "./support/wire/golden_run.ts";
import { damage, randomOf, splitSteps } from "./support/wire/golden_variants.ts";

const folder = new URL("golden/", import.meta.url);
const registry = createRegistry(PROTOCOLS);
const update = Deno.env.get("UPDATE_GOLDEN") === "1";

for (const { name } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".txt")) continue;
  const protocol = registry.byName(name.slice(0, -4));
  if (protocol === undefined) throw new Error(`Cannot test ${name}: no such protocol`);
  const url = new URL(name, folder);
  const fixture = parseFixture(protocol.name, Deno.readTextFileSync(url));
  if (update) rewrite(url, protocol, fixture);
  else testFixture(protocol, fixture);
}

Deno.test("every protocol has a fixture", () => {
  const names = new Set([...Deno.readDirSync(folder)].map((entry) => entry.name));
  const missing = PROTOCOLS.filter(({ name }) => !names.has(`${name}.txt`)).map((p) => p.name);
  assert.deepEqual(missing, []);
});

Deno.test("noise is nobody's: constant, random and printable bytes", () => {
  for (const transport of ["tcp", "udp"] as const) {
    for (const bytes of noise()) {
      const answer = registry.ask(transport, bytes, bytes.length);
      if (answer.kind !== "claimed") continue;
      const head = bytes.subarray(0, 32).join(" ");
      assert.fail(`${answer.protocol.name} claims ${bytes.length} bytes of noise: ${head}`);
    }
  }
});

function* noise(): Generator<Uint8Array> {
  for (const byte of [0, 1, 0x20, 0x41, 0x61, 0xff]) {
    for (const length of [1, 2, 4, 8, 16, 32, 64, 256, 1000]) {
      yield new Uint8Array(length).fill(byte);
    }
  }
  for (let seed = 0; seed < 3_000; seed++) {
    const random = randomOf(seed);
    const length = 1 + random(200);
    yield Uint8Array.from({ length }, () => random(256));
    yield Uint8Array.from({ length }, () => 0x20 + random(95));
  }
}

function rewrite(url: URL, protocol: AnyProtocol, fixture: Fixture): void {
  const lines = fixture.cases.map(({ steps }) =>
    runGolden(protocol, fixture.transport, steps).lines
  );
  Deno.writeTextFileSync(url, withExpected(Deno.readTextFileSync(url), lines));
}

function testFixture(protocol: AnyProtocol, fixture: Fixture): void {
  const { transport, cases } = fixture;
  const test = (what: string, check: (each: Case) => void) =>
    Deno.test(`golden ${protocol.name}: ${what}`, () => {
      for (const each of cases) check(each);
    });

  test("messages are as written", (each) => {
    const { lines } = runGolden(protocol, transport, each.steps);
    assert.deepEqual(lines, each.expected, each.caption);
  });

  test("any split of the bytes gives the same messages", (each) => {
    if (transport === "udp") return;
    for (let seed = 0; seed < 6; seed++) {
      const steps = splitSteps(each.steps, randomOf(seed), seed === 0 ? 1 : 7 * seed);
      const { lines } = runGolden(protocol, transport, steps);
      assert.deepEqual(lines, each.expected, `${each.caption}, split ${seed}`);
    }
  });

  test("damaged, cut and clipped bytes never throw and never loop", (each) => {
    for (let seed = 0; seed < 60; seed++) {
      const steps = damage(each.steps, randomOf(seed));
      runGolden(protocol, transport, steps, seed % 2 === 0 ? "client" : "unknown");
    }
  });

  test("no other protocol claims it", (each) => {
    if (!each.probed) return;
    const asked = new Set<boolean>();
    for (const step of each.steps) {
      if (step.kind !== "call" || asked.has(step.up)) continue;
      asked.add(step.up);
      const answer = registry.ask(transport, step.bytes, step.length);
      if (answer.kind !== "claimed") continue;
      const way = step.up ? "up" : "down";
      assert.equal(answer.protocol.name, protocol.name, `${each.caption}, ${way}`);
    }
  });
}
