// SPDX-License-Identifier: Apache-2.0
// Connections that are older than the capture: from any call of a fixture on, most of what follows
// is read, no other protocol is seen in it, and no secret is told. Which end is the server is not
// told either.

import assert from "node:assert/strict";
import type { Message, MessageSeen } from "../model/message.ts";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import { Conversation } from "./support/wire/conversation.ts";
import { parseFixture } from "./support/wire/golden_fixture.ts";
import { wireChain } from "./support/wire/wire_chain.ts";

/** Share of the messages that must be read; less where lines of a mail server look alike. */
const READ_MIN = 0.65;
const WEAK: Readonly<Record<string, { readonly readMin: number; readonly others?: boolean }>> = {
  // Replies are three digits, +OK or -ERR, as those of others are.
  ftp: { readMin: 0.4, others: true },
  smtp: { readMin: 0.6, others: true },
  pop3: { readMin: 0.65, others: true },
  // +OK is said by Redis as well.
  nats: { readMin: 0.8, others: true },
  // Once it is open, others speak.
  socks: { readMin: 0, others: true },
  // A frame of text is believed only where it is JSON.
  websocket: { readMin: 0 },
};

interface Call {
  readonly up: boolean;
  readonly bytes: Uint8Array;
}

for (const protocol of PROTOCOLS) {
  if (!protocol.transports.includes("tcp")) continue;
  Deno.test(`joined midway: ${protocol.name}`, () => {
    const text = Deno.readTextFileSync(new URL(`golden/${protocol.name}.txt`, import.meta.url));
    let due = 0, read = 0;
    const others = new Set<string>();
    for (const { steps, probed } of parseFixture(protocol.name, text).cases) {
      const calls = steps.filter((step) => step.kind === "call");
      const whole = calls.every(({ bytes, length }) => bytes.length === length);
      if (!whole || !probed || calls.length < 4) continue;
      const all = messages(calls, 0).filter((seen) => seen.protocol === protocol.name);
      for (let from = 1; from < calls.length - 2; from++) {
        const ahead = all.filter((seen) => seen.offset >= offsetOf(calls, from, seen)).length;
        const found = messages(calls, from);
        for (const { message } of found) assert.ok(!isTold(message), "a secret is told");
        const mine = found.filter((seen) => seen.protocol === protocol.name).length;
        for (const seen of found) if (seen.protocol !== protocol.name) others.add(seen.protocol);
        due += ahead;
        read += Math.min(mine, ahead);
      }
    }
    const weak = WEAK[protocol.name];
    assert.ok(read >= due * (weak?.readMin ?? READ_MIN), `${read} of ${due} messages`);
    if (weak?.others !== true) assert.deepEqual([...others], []);
  });
}

const isTold = ({ resource, endpoint, type, fields }: Message): boolean =>
  [resource, endpoint, type, ...Object.values(fields)].some((value) =>
    `${value}`.includes("planted-secret")
  );

/** What is read of the calls from `from` on. */
function messages(calls: readonly Call[], from: number): MessageSeen[] {
  const talk = new Conversation({
    role: from === 0 ? "client" : "unknown",
    joinedMidstream: from > 0,
  });
  const chain = wireChain();
  for (const { up, bytes } of calls.slice(from)) chain.push(up ? talk.up(bytes) : talk.down(bytes));
  chain.end();
  return chain.messages.filter((event) => event.kind === "message");
}

/** Bytes that passed before the call `from` in the direction of a message. */
function offsetOf(calls: readonly Call[], from: number, { direction }: MessageSeen): number {
  const before = calls.slice(0, from).filter(({ up }) => up === (direction === "egress"));
  return before.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
