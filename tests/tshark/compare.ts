// SPDX-License-Identifier: Apache-2.0
// Two decodings of a capture side by side: how many facts and fields agree, and which do not.

import type { DecodeLine } from "../../app/decode/decode_line.ts";
import { align } from "../conformance/align.ts";
import { disagreements, type FactName, type Facts, factsOfLine } from "../conformance/facts.ts";
import type { Lanes } from "./dissect.ts";
import type { SharkMessage } from "./shark_message.ts";
import { type Verdict, verdictOn } from "./verdicts.ts";

export interface Disagreement {
  readonly protocol: string;
  readonly type: string;
  readonly lane: string;
  /** Packet of tshark's message; 0 where tshark has none. */
  readonly frame: number;
  /** Name of the fact or field; "message" where one of the two has no such message. */
  readonly name: string;
  readonly theirs: string;
  readonly ours: string;
  readonly verdict: Verdict | null;
}

export interface Comparison {
  readonly protocol: string;
  readonly messages: number;
  /** Facts and fields that tshark states. */
  readonly stated: number;
  readonly agree: number;
  readonly disagreements: readonly Disagreement[];
}

export function compare(
  protocol: string,
  theirs: Lanes<SharkMessage>,
  ours: Lanes<DecodeLine>,
): Comparison {
  const disagreements: Disagreement[] = [];
  let [messages, stated, agree] = [0, 0, 0];
  for (const lane of new Set([...theirs.keys(), ...ours.keys()])) {
    const expected = theirs.get(lane) ?? [];
    messages += expected.length;
    const lines = (ours.get(lane) ?? []).map((line) => ({ line, facts: factsOfLine(line) }));
    for (const { expected: shark, ours: mine } of pairs(expected, lines)) {
      const found = differencesOf(shark, mine?.line ?? null);
      stated += shark === null ? 1 : Math.max(1, countOf(shark));
      agree += shark === null || mine === null ? 0 : Math.max(1, countOf(shark)) - found.length;
      const frame = shark?.frame ?? 0;
      disagreements.push(...found.map((each) => {
        const type = shark?.facts.type ?? mine?.facts.type ?? "";
        const whole = { protocol, type, lane, frame, ...each };
        return { ...whole, verdict: verdictOn(whole) };
      }));
    }
  }
  return { protocol, messages, stated, agree, disagreements };
}

interface Mine {
  readonly line: DecodeLine;
  readonly facts: Facts;
}

/** As many on both sides are the same ones, in order; else as much as possible shall agree. */
function pairs(expected: readonly SharkMessage[], ours: readonly Mine[]) {
  if (expected.length !== ours.length) return align(expected, ours);
  return expected.map((message, i) => ({ expected: message, ours: ours[i] ?? null }));
}

const countOf = ({ facts, fields }: SharkMessage): number =>
  Object.keys(facts).length + Object.keys(fields).length;

interface Difference {
  readonly name: string;
  readonly theirs: string;
  readonly ours: string;
}

function differencesOf(shark: SharkMessage | null, line: DecodeLine | null): Difference[] {
  const text = (value: unknown) => JSON.stringify(value) ?? "none";
  if (shark === null || line === null) {
    const facts = line === null ? shark?.facts : factsOfLine(line);
    const [theirs, ours] = shark === null ? ["none", text(facts)] : [text(facts), "none"];
    return [{ name: "message", theirs, ours }];
  }
  const mine = factsOfLine(line);
  const facts = disagreements(shark.facts, mine).map((name: FactName) => ({
    name,
    theirs: text(shark.facts[name]),
    ours: text(mine[name]),
  }));
  const fields = Object.entries(shark.fields)
    .filter(([name, value]) => line.attributes[name] !== value)
    .map(([name, value]) => ({
      name: `attributes.${name}`,
      theirs: text(value),
      ours: text(line.attributes[name]),
    }));
  return [...facts, ...fields];
}
