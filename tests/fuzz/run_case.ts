// SPDX-License-Identifier: Apache-2.0
// One case through the decode chain, and what must hold whatever the bytes are: nothing is thrown
// out of a reader, no reader is called without end, nothing grows beyond its limit.

import type { ByteRun } from "../../model/byte_run.ts";
import type { SocketRecord } from "../../model/capture_record.ts";
import { LIMITS } from "../../model/limits.ts";
import type { StreamEnd } from "../../model/message.ts";
import { decode } from "../../operators/decode.ts";
import { Claim } from "../../operators/streams/claim.ts";
import { type AnyProtocol, createRegistry, type Registry } from "../../operators/wire/registry.ts";
import { Conversation } from "../support/wire/conversation.ts";
import type { Step } from "../support/wire/golden_fixture.ts";
import { wireChain } from "../support/wire/wire_chain.ts";
import { sizeOf } from "./size_of.ts";

export interface Case {
  readonly transport: "tcp" | "udp";
  readonly role: "client" | "server" | "unknown";
  readonly steps: readonly Step[];
  /** null: the probes are asked; else the connection is this protocol's, whatever it looks like. */
  readonly protocol: AnyProtocol | null;
}

/** Calls of readers per byte and per call that passed: each call passes a byte, but for few. */
const READS_PER_BYTE_MAX = 20;
const READS_PER_STEP_MAX = 200;
/** Both directions of a connection, each with a message that is not whole. */
const HELD_BYTES_MAX = 2 * (LIMITS.decodeBytes.value + 65_536);
/** What a protocol may remember of one connection. */
const STATE_BYTES_MAX = 4_194_304;

export class Broken extends Error {}

let readsLeft = 0;

/** The protocols, each counting how often it is asked to read. */
export function counted(protocols: readonly AnyProtocol[]): AnyProtocol[] {
  return protocols.map((protocol) => ({
    ...protocol,
    read(cursor, way, make, state) {
      if (--readsLeft < 0) throw new Broken(`${protocol.name} reads on without end`);
      return protocol.read(cursor, way, make, state);
    },
  }));
}

/** Throws where something does not hold; returns how many messages there were. */
export function runCase(each: Case, registry: Registry): number {
  const bytes = each.steps.reduce((sum, step) => sum + (step.kind === "call" ? step.length : 0), 0);
  const counts = Math.min(bytes, 1_000_000) * READS_PER_BYTE_MAX;
  readsLeft = counts + each.steps.length * READS_PER_STEP_MAX + 1_000;
  return each.protocol === null ? runAsked(each, registry) : runClaimed(each, each.protocol);
}

function runAsked({ transport, role, steps }: Case, registry: Registry): number {
  const talk = new Conversation({ transport, role });
  const chain = wireChain({ registry });
  for (const step of steps) chain.push(recordOf(talk, step));
  chain.advance(talk.nowNs + 1_000_000_000n);
  chain.end();
  return chain.messages.length;
}

function recordOf(talk: Conversation, step: Step): SocketRecord {
  if (step.kind === "call") return eventOf(talk, step);
  const { connection, nowNs: emitNs } = talk;
  if (step.what === "close" || step.what === "reset") {
    return { kind: "close", connection, emitNs, reason: step.what };
  }
  const event = talk.call(step.what === "eof up" ? "egress" : "ingress", new Uint8Array(0));
  return { ...event, eof: true };
}

function eventOf(talk: Conversation, step: Step & { kind: "call" }) {
  const padded = new Uint8Array(step.length);
  padded.set(step.bytes);
  return talk.call(step.up ? "egress" : "ingress", padded, { captured: step.bytes.length });
}

function runClaimed({ transport, role, steps }: Case, protocol: AnyProtocol): number {
  const talk = new Conversation({ transport, role });
  let messages = 0;
  const owner = {
    switchTo: (claim: Claim) => void (claim.over = "released"),
    giveBack() {},
    copyMore() {},
  };
  const claim = new Claim(protocol, transport, null, owner);
  const stage = decode.open(undefined, {
    emit: () => void messages++,
    side() {},
    drop() {},
  });
  for (const step of steps) {
    stage.push({ claim, record: step.kind === "call" ? runOf(talk, step) : endOf(talk, step) });
    const held = claim.ingress.held + claim.egress.held;
    if (held > HELD_BYTES_MAX) throw new Broken(`${protocol.name} holds ${held} bytes`);
    if (claim.over !== "no") break;
  }
  stage.end();
  const size = sizeOf(claim.state, STATE_BYTES_MAX);
  if (size > STATE_BYTES_MAX) throw new Broken(`${protocol.name} remembers over ${size} bytes`);
  return messages;
}

function runOf(talk: Conversation, step: Step & { kind: "call" }): ByteRun {
  const event = eventOf(talk, step);
  const { connection, streamOffset: offset, length, payload: bytes, emitNs } = event;
  return { kind: "bytes", connection, event, offset, gap: 0, length, bytes, emitNs };
}

function endOf(talk: Conversation, step: Step & { kind: "end" }): StreamEnd {
  const { connection, nowNs: emitNs } = talk;
  const whole = step.what === "close" || step.what === "reset";
  return {
    kind: "stream_end",
    connection,
    direction: whole ? "both" : step.what === "eof up" ? "egress" : "ingress",
    emitNs,
    reason: whole ? step.what : "eof",
  };
}

export const fuzzRegistry = (protocols: readonly AnyProtocol[]): Registry =>
  createRegistry(counted(protocols));
