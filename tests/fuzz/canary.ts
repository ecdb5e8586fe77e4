// SPDX-License-Identifier: Apache-2.0
// Protocols with one fault each. Where fuzzing does not find them, it finds nothing.

import { byteSet } from "../../operators/wire/byte_set.ts";
import type { Cursor } from "../../operators/wire/cursor.ts";
import { defineProtocol, type Step } from "../../operators/wire/protocol.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";

export interface Canary {
  readonly name: string;
  readonly protocol: AnyProtocol;
}

export const CANARIES: readonly Canary[] = [
  canary("throws", (cursor) => {
    if (cursor.u8() === 0xff) throw new TypeError("Cannot read properties of undefined");
    return { kind: "nothing" };
  }),
  canary("loops", (cursor) => {
    while (cursor.peekOr(0) === 0xff);
    cursor.skip(1);
    return { kind: "nothing" };
  }),
  canary("remembers", (cursor, state) => {
    state.push(cursor.bytes(1).slice(), "x".repeat(4_096));
    return { kind: "nothing" };
  }),
];

function canary(name: string, read: (cursor: Cursor, state: unknown[]) => Step): Canary {
  const protocol = defineProtocol({
    name: `canary_${name}`,
    spec: "https://en.wikipedia.org/wiki/Sentinel_species",
    transports: ["tcp", "udp"],
    fields: {},
    timeoutNs: 1_000_000_000n,
    pairing: "order",
    capture: "all",
    starts: byteSet([0, 255]),
    probe: () => ({ kind: "no" }),
    open: (): unknown[] => [],
    read: (cursor, _way, _make, state) => read(cursor, state),
  });
  return { name, protocol };
}
