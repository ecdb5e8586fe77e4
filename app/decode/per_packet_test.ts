// SPDX-License-Identifier: Apache-2.0
// Packet by packet, every fixture gives the messages that its stream gives, however it is cut.

import assert from "node:assert/strict";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { type AnyProtocol, createRegistry } from "../../operators/wire/registry.ts";
import { Conversation } from "../../tests/support/wire/conversation.ts";
import { type Case, parseFixture } from "../../tests/support/wire/golden_fixture.ts";
import { runGolden } from "../../tests/support/wire/golden_run.ts";
import { type Random, randomOf } from "../../tests/support/wire/golden_variants.ts";
import type { DecodeLine } from "./decode_line.ts";
import { OpenLines } from "./open_lines.ts";
import { PacketDecoder } from "./per_packet.ts";

const folder = new URL("../../tests/golden/", import.meta.url);
const registry = createRegistry(PROTOCOLS);

for (const protocol of PROTOCOLS) {
  Deno.test(`packet by packet: ${protocol.name}`, () => {
    const text = Deno.readTextFileSync(new URL(`${protocol.name}.txt`, folder));
    const { transport, cases } = parseFixture(protocol.name, text);
    for (const each of cases) {
      const expected = byWay(runGolden(protocol, transport, each.steps).lines.map(ofStream));
      if (expected === null || !isPlain(each, protocol)) continue;
      for (const packetBytes of transport === "udp" ? [Infinity] : [Infinity, 536, 100]) {
        const found = byWay(ofPackets(protocol, transport, each, packetBytes, randomOf(1)));
        assert.deepEqual(found, expected, `${each.caption}, ${packetBytes}`);
      }
    }
  });
}

/**
 * All bytes are there, and the first packet goes to the server, as it is taken to, or is one that
 * tells that it does not.
 */
function isPlain({ steps }: Case, protocol: AnyProtocol): boolean {
  const calls = steps.filter((step) => step.kind === "call");
  const [first] = calls;
  if (first === undefined || calls.some(({ bytes, length }) => bytes.length < length)) return false;
  return first.up || protocol.probe(first.bytes, first.length).kind === "response";
}

type Told = readonly [toServer: boolean, what: string];

/** null: the case is about bytes that were lost, or about another protocol. */
function ofStream(line: string): Told | null {
  const { up, down, type, resource, code, id, lost, ...rest } = JSON.parse(line);
  if (lost !== undefined || "switch" in rest) return null;
  const plainId = typeof id === "string" ? id.replace(/^(\d+)n$/, "$1") : id ?? "";
  return [
    up !== undefined,
    [up ?? down, type ?? "", resource ?? "", code ?? "", plainId].join(" "),
  ];
}

function ofPackets(
  protocol: AnyProtocol,
  transport: "tcp" | "udp",
  { steps }: Case,
  packetBytes: number,
  random: Random,
): Told[] {
  const lines: DecodeLine[] = [];
  const open = new OpenLines((line) => lines.push(line));
  const decoder = new PacketDecoder(registry, [protocol], open);
  const talk = new Conversation({ role: "server", transport });
  for (const step of steps) {
    if (step.kind !== "call") continue;
    for (let at = 0; at < step.bytes.length;) {
      const bytes = Math.min(step.bytes.length - at, packetBytes + random(3));
      const part = step.bytes.subarray(at, at + bytes);
      decoder.take(step.up ? talk.up(part) : talk.down(part));
      at += bytes;
    }
  }
  decoder.close();
  open.close();
  return lines.map((line) => [
    line.direction === "to_server",
    [
      line.message,
      line.request_type,
      line.resource,
      line.response_code ?? "",
      line.request_id ?? "",
    ].join(" "),
  ]);
}

function byWay(told: readonly (Told | null)[]): { up: string[]; down: string[] } | null {
  const up: string[] = [], down: string[] = [];
  for (const each of told) {
    if (each === null) return null;
    (each[0] ? up : down).push(each[1]);
  }
  return { up, down };
}
