// SPDX-License-Identifier: Apache-2.0
// What tshark made of a capture, kept as text beside it: a line per message, the shape of which is
// that of SharkMessage with its lane.

import type { Lanes } from "./dissect.ts";
import type { SharkMessage } from "./shark_message.ts";

interface Expectation {
  readonly protocol: string;
  readonly lanes: Lanes<SharkMessage>;
}

export function expectationText({ protocol, lanes }: Expectation): string {
  const lines = [...lanes].flatMap(([lane, messages]) =>
    messages.map((message) => JSON.stringify({ protocol, lane, ...message }))
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** Protocols of one capture. */
export function readExpectations(text: string): Map<string, Lanes<SharkMessage>> {
  const protocols = new Map<string, Lanes<SharkMessage>>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const { protocol, lane, ...message } = JSON.parse(line);
    const lanes: Lanes<SharkMessage> = protocols.get(protocol) ?? new Map();
    protocols.set(protocol, lanes);
    lanes.set(lane, [...lanes.get(lane) ?? [], message]);
  }
  return protocols;
}
