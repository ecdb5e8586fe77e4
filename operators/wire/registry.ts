// SPDX-License-Identifier: Apache-2.0
// Asks the protocols whose bytes these are. The first byte chooses which of them are asked.

import type { Transport } from "../../model/connection.ts";
import type { Protocol } from "./protocol.ts";

/** A protocol of any fields and state: the registry and decode never look into either. */
// deno-lint-ignore no-explicit-any -- Protocol is invariant in both; readers get back their own
export type AnyProtocol = Protocol<any, any>;

/** What the probes say about the first bytes of one direction. */
export type Answer =
  | { readonly kind: "claimed"; readonly protocol: AnyProtocol; readonly side: Side }
  /** Some protocol needs more bytes, or two are equally sure. */
  | { readonly kind: "undecided" }
  | { readonly kind: "nobody" };

/** Whose bytes they are, as the winning probe says. */
export type Side = "request" | "response" | "either";

export interface Registry {
  readonly protocols: readonly AnyProtocol[];
  byName(name: string): AnyProtocol | undefined;
  /** `bytes` is what was captured of `length` bytes that passed. */
  ask(transport: Transport, bytes: Uint8Array, length: number, except?: Refuted): Answer;
  /** As `ask`, when no more bytes will come: the best claim there is, never "undecided". */
  settle(transport: Transport, bytes: Uint8Array, length: number, except?: Refuted): Answer;
}

/** Protocols whose claim on this connection was withdrawn: not asked again. */
export type Refuted = ReadonlySet<AnyProtocol> | null;

export function createRegistry(protocols: readonly AnyProtocol[]): Registry {
  const byName = new Map(protocols.map((protocol) => [protocol.name, protocol]));
  const tables = new Map<Transport, readonly (readonly AnyProtocol[])[]>();
  for (const transport of ["tcp", "udp", "unix"] as const) {
    tables.set(transport, byFirstByte(protocols.filter((p) => p.transports.includes(transport))));
  }
  return {
    protocols,
    byName: (name) => byName.get(name),
    ask(transport, bytes, length, except = null) {
      const first = bytes[0];
      if (first === undefined) return length === 0 ? UNDECIDED : NOBODY;
      return best(tables.get(transport)?.[first] ?? [], bytes, length, except, false);
    },
    settle(transport, bytes, length, except = null) {
      return best(tables.get(transport)?.[bytes[0] ?? 0] ?? [], bytes, length, except, true);
    },
  };
}

/** Highest score wins; a tie, or a "maybe" while nobody is surer than plausible, waits. */
function best(
  asked: readonly AnyProtocol[],
  bytes: Uint8Array,
  length: number,
  except: Refuted,
  final: boolean,
): Answer {
  let winner: AnyProtocol | undefined;
  let side: Side = "either";
  let score = 0;
  let tied = false;
  let waiting = false;
  for (const protocol of asked) {
    if (except !== null && except.has(protocol)) continue;
    const claim = protocol.probe(bytes, length);
    if (claim.kind === "no") continue;
    if (claim.kind === "maybe") waiting = true;
    else if (claim.score > score) {
      winner = protocol;
      side = claim.kind;
      score = claim.score;
      tied = false;
    } else if (claim.score === score) tied = true;
  }
  if (winner === undefined) return waiting && !final ? UNDECIDED : NOBODY;
  if (!final && (tied || (waiting && score < SURE))) return UNDECIDED;
  return { kind: "claimed", protocol: winner, side };
}

function byFirstByte(protocols: readonly AnyProtocol[]): AnyProtocol[][] {
  return Array.from({ length: 256 }, (_, byte) => protocols.filter((p) => p.starts[byte] === 1));
}

/** From this score on a claim does not wait for protocols that need more bytes. */
const SURE = 80;

const UNDECIDED: Answer = { kind: "undecided" };
const NOBODY: Answer = { kind: "nobody" };
