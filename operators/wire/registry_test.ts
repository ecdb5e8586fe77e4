// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { byteSet } from "./byte_set.ts";
import { type Claim, defineProtocol } from "./protocol.ts";
import { createRegistry } from "./registry.ts";

const protocol = (name: string, starts: string, claim: Claim) =>
  defineProtocol({
    name,
    spec: "https://example.org/",
    transports: ["tcp"],
    fields: {},
    timeoutNs: 1n,
    pairing: "order",
    capture: "prefix",
    starts: byteSet(starts),
    probe: () => claim,
    open: () => null,
    read: () => ({ kind: "nothing" }),
  });

const request = (score: number): Claim => ({ kind: "request", score });
const bytes = (text: string) => new TextEncoder().encode(text);

function ask(text: string, ...protocols: ReturnType<typeof protocol>[]): string {
  const answer = createRegistry(protocols).ask("tcp", bytes(text), text.length);
  return answer.kind === "claimed" ? answer.protocol.name : answer.kind;
}

Deno.test("the highest score claims, a tie waits", () => {
  const [a, b, c] = [
    protocol("a", "x", request(60)),
    protocol("b", "x", request(70)),
    protocol("c", "x", request(70)),
  ];
  assert.equal(ask("x", a, b), "b");
  assert.equal(ask("x", b, a), "b");
  assert.equal(ask("x", a, b, c), "undecided");
});

Deno.test("one that needs more bytes is waited for, unless another is sure", () => {
  const maybe = protocol("maybe", "x", { kind: "maybe" });
  assert.equal(ask("x", maybe, protocol("a", "x", request(79))), "undecided");
  assert.equal(ask("x", maybe, protocol("a", "x", request(80))), "a");
  assert.equal(ask("x", maybe), "undecided");
});

Deno.test("only protocols that may start with the first byte are asked", () => {
  const a = protocol("a", "x", request(90));
  assert.equal(ask("y", a), "nobody");
  assert.equal(ask("", a), "undecided");
  assert.equal(createRegistry([a]).ask("udp", bytes("x"), 1).kind, "nobody");
  assert.equal(createRegistry([a]).ask("tcp", bytes(""), 5).kind, "nobody", "nothing captured");
});

Deno.test("words narrow down whom to ask, in any case, as far as they can be seen", () => {
  const worded = { ...protocol("worded", "gGx", request(90)), words: ["GET ", "go!"] };
  const plain = protocol("plain", "gx", request(50));
  assert.equal(ask("get it", worded, plain), "worded");
  assert.equal(ask("GET it", worded, plain), "worded", "starts tells the case of the first letter");
  assert.equal(ask("gO! it", plain, worded), "worded");
  assert.equal(ask("got it", worded, plain), "plain");
  assert.equal(ask("Got it", worded, plain), "nobody");
  assert.equal(ask("xyz", worded, plain), "worded", "no word begins with this byte");
  assert.equal(ask("go", worded, plain), "worded", "the third character is not there yet");
});

Deno.test("a refuted protocol is not asked again", () => {
  const a = protocol("a", "x", request(90)), b = protocol("b", "x", request(50));
  const answer = createRegistry([a, b]).ask("tcp", bytes("x"), 1, new Set([a]));
  assert.equal(answer.kind === "claimed" && answer.protocol.name, "b");
});

Deno.test("settling decides, whatever would be waited for", () => {
  const maybe = protocol("maybe", "x", { kind: "maybe" });
  const tie = [protocol("a", "x", request(60)), protocol("b", "x", request(60))];
  const settled = createRegistry([maybe, ...tie]).settle("tcp", bytes("x"), 1);
  assert.equal(settled.kind === "claimed" && settled.protocol.name, "a");
  assert.equal(createRegistry([maybe]).settle("tcp", bytes("x"), 1).kind, "nobody");
});
