// SPDX-License-Identifier: Apache-2.0
// Asks the protocols whose bytes these are. The first bytes choose which of them are asked: most of
// the text protocols begin with one of a few words, and would otherwise all be asked about any.

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
  const tableOf = (transport: Transport) => {
    const its = protocols.filter(({ transports }) => transports.includes(transport));
    return Array.from({ length: 256 }, (_, first) => askedBy(first, its));
  };
  const tables = { tcp: tableOf("tcp"), udp: tableOf("udp"), unix: tableOf("unix") };
  return {
    protocols,
    byName: (name) => byName.get(name),
    ask(transport, bytes, length, except = null) {
      if (bytes.length === 0) return length === 0 ? UNDECIDED : NOBODY;
      return best(whomToAsk(tables[transport], bytes), bytes, length, except, false);
    },
    settle(transport, bytes, length, except = null) {
      return best(whomToAsk(tables[transport], bytes), bytes, length, except, true);
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

/** Whom to ask about bytes that begin with a certain one. */
interface Asked {
  /** Where fewer bytes than a word has can be seen. */
  readonly all: readonly AnyProtocol[];
  /** By the second and third character of the words that begin with it. */
  readonly byWord: ReadonlyMap<number, readonly AnyProtocol[]>;
  /** Where none of these words follows. */
  readonly others: readonly AnyProtocol[];
}

function askedBy(first: number, protocols: readonly AnyProtocol[]): Asked {
  const all = protocols.filter(({ starts }) => starts[first] === 1);
  const keys = new Map(all.map((protocol) => [protocol, wordKeys(protocol, first)]));
  const askable = (key: number) =>
    all.filter((protocol) => {
      const own = keys.get(protocol) ?? [];
      return own.length === 0 || own.includes(key);
    });
  const byWord = new Map([...keys.values()].flat().map((key) => [key, askable(key)]));
  return { all, byWord, others: askable(NO_WORD) };
}

/** What follows `first` in the words of a protocol. */
function wordKeys({ words = [] }: AnyProtocol, first: number): number[] {
  const letter = String.fromCharCode(first).toLowerCase();
  return words.map((word) => word.toLowerCase()).filter((word) => word.startsWith(letter))
    .map((word) => wordKey(word.charCodeAt(1), word.charCodeAt(2)));
}

/** Letters in lower case. Some other characters become alike as well: the probes tell them. */
const wordKey = (second: number, third: number) => (second << 8 | third) | 0x2020;
const NO_WORD = -1;

function whomToAsk(table: readonly Asked[], bytes: Uint8Array): readonly AnyProtocol[] {
  const asked = table[bytes[0] ?? 0];
  if (asked === undefined) return [];
  if (bytes.length < 3) return asked.all;
  const key = wordKey(bytes[1] as number, bytes[2] as number);
  return asked.byWord.get(key) ?? asked.others;
}

/** From this score on a claim does not wait for protocols that need more bytes. */
const SURE = 80;

const UNDECIDED: Answer = { kind: "undecided" };
const NOBODY: Answer = { kind: "nobody" };
