// SPDX-License-Identifier: Apache-2.0
// Where we differ from an expectation and why. Each argument can be checked with the capture.

import type { FactName, Facts } from "./facts.ts";

export interface Verdict {
  readonly who: "ours right" | "theirs right" | "matter of taste";
  readonly why: string;
}

/** A difference as the table is asked about it. */
export interface Question {
  readonly file: string;
  readonly line: number;
  readonly expected: Facts;
  readonly ours: Facts | null;
  readonly facts: readonly FactName[];
}

interface Argument extends Verdict {
  readonly file: RegExp;
  holds(question: Question): boolean;
}

export function verdictOn(question: Question): Verdict | null {
  return ARGUMENTS.find((each) => each.file.test(question.file) && each.holds(question)) ?? null;
}

const only = (facts: readonly FactName[], name: FactName) =>
  facts.length === 1 && facts[0] === name;

const ARGUMENTS: readonly Argument[] = [
  {
    who: "ours right",
    why: "the response code is 3, NXDOMAIN, which the same expectations elsewhere state as a " +
      "client's error (tshark: dns.flags.rcode)",
    file: /^dns\//,
    holds: ({ facts, expected }) => only(facts, "status") && expected.code === 3,
  },
  {
    who: "ours right",
    why: "the subject of the one is the reply subject of the other (last words of PUB and MSG): " +
      "request and response of one call, not two one-way messages",
    file: /^nats\//,
    holds: ({ facts, expected }) =>
      only(facts, "kind") && expected.kind === "oneway" &&
      /^H?(pub|msg)$/i.test(expected.type ?? ""),
  },
  {
    who: "matter of taste",
    why: "a further packet of a flight of the handshake; ours is one message for each flight, " +
      "told with its first record",
    file: /^tls\//,
    holds: ({ ours, expected }) =>
      ours === null && expected.kind === "oneway" &&
      /^(Change Cipher Spec|Client Key Exchange|Certificate|Encrypted Handshake)/.test(
        expected.type ?? "",
      ),
  },
];
