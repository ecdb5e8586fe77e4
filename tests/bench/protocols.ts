// SPDX-License-Identifier: Apache-2.0
// Each protocol on its own fixture: processor time per message of its reader, and what it costs to
// ask all probes whose bytes an unknown connection has. Where tshark is installed, its time for the
// same packets, one run for all, as a ratio to ours.

import process from "node:process";
import type { ByteRun } from "../../model/byte_run.ts";
import { decode } from "../../operators/decode.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { Claim } from "../../operators/streams/claim.ts";
import { type AnyProtocol, createRegistry, type Registry } from "../../operators/wire/registry.ts";
import { fixtureTalks, type Talk } from "../fuzz/corpus.ts";
import { Conversation } from "../support/wire/conversation.ts";
import { median } from "./median.ts";
import { sharkBench, type SharkReport } from "./protocols_shark.ts";

export interface ProtocolsReport {
  readonly rows: readonly ProtocolRow[];
  readonly shark: SharkReport | null;
}

export interface ProtocolRow {
  readonly name: string;
  readonly messagesPerSecond: number;
  readonly nsPerMessage: number;
  readonly bytesPerMessage: number;
  readonly probeNs: number;
}

const roundMs = 60;
const rounds = 5;

export async function protocolsBench(): Promise<ProtocolsReport> {
  const registry = createRegistry(PROTOCOLS);
  const talks = fixtureTalks(new URL("../golden/", import.meta.url));
  const rows = PROTOCOLS.flatMap((protocol) => {
    const own = talks.filter((talk) => talk.protocol === protocol.name);
    const row = measure(protocol, own, registry);
    return row === null ? [] : [row];
  });
  return { rows, shark: await sharkBench(talks) };
}

function measure(
  protocol: AnyProtocol,
  talks: readonly Talk[],
  registry: Registry,
): ProtocolRow | null {
  const loads = talks.map((talk) => ({ talk, runs: runsOf(talk) }));
  let messages = 0, bytes = 0;
  for (const { talk, runs } of loads) {
    messages += pass(protocol, talk, runs);
    for (const { length } of runs) bytes += length;
  }
  if (messages === 0) return null;
  const times: number[] = [], probes: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const each = perPass(() => {
      for (const { talk, runs } of loads) pass(protocol, talk, runs);
    });
    const asked = perPass(() => ask(loads, registry));
    if (round < 0) continue;
    times.push(each / messages);
    probes.push(asked / Math.max(1, loads.length));
  }
  const nsPerMessage = median(times);
  return {
    name: protocol.name,
    messagesPerSecond: 1e9 / nsPerMessage,
    nsPerMessage,
    bytesPerMessage: bytes / messages,
    probeNs: median(probes),
  };
}

/** Nanoseconds of processor time for one pass. */
function perPass(work: () => void): number {
  const start = cpuUs();
  const until = start + roundMs * 1_000;
  let passes = 0, now = start;
  while (now < until) {
    for (let i = 0; i < 16; i++) work();
    passes += 16;
    now = cpuUs();
  }
  return (now - start) * 1_000 / passes;
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function runsOf({ transport, steps }: Talk): ByteRun[] {
  const talk = new Conversation({ transport, role: "client" });
  return steps.flatMap((step) => {
    if (step.kind !== "call") return [];
    const padded = new Uint8Array(step.length);
    padded.set(step.bytes);
    const event = talk.call(step.up ? "egress" : "ingress", padded, {
      captured: step.bytes.length,
    });
    const { connection, streamOffset: offset, length, payload: bytes, emitNs } = event;
    return [{ kind: "bytes", connection, event, offset, gap: 0, length, bytes, emitNs }];
  });
}

const OWNER = {
  switchTo: (claim: Claim) => void (claim.over = "released"),
  giveBack() {},
  pipelined() {},
};

/** Messages of one connection through the reader. */
function pass(protocol: AnyProtocol, { transport }: Talk, runs: readonly ByteRun[]): number {
  let messages = 0;
  const claim = new Claim(protocol, transport, null, OWNER);
  const stage = decode.open(undefined, {
    emit: (event) => void (messages += event.kind === "message" ? 1 : 0),
    side() {},
    drop() {},
  });
  for (const record of runs) {
    if (claim.over === "no") stage.push({ claim, record });
  }
  return messages;
}

/** The first bytes of each connection, to all probes. */
function ask(loads: readonly { talk: Talk; runs: readonly ByteRun[] }[], registry: Registry): void {
  for (const { talk, runs } of loads) {
    const first = runs[0];
    if (first !== undefined) registry.ask(talk.transport, first.bytes, first.length);
  }
}

export function formatProtocolsReport({ rows, shark }: ProtocolsReport): string {
  const sorted = [...rows].sort((a, b) => b.messagesPerSecond - a.messagesPerSecond);
  return [
    "  protocol      messages/s   ns/message  bytes/message  ns to ask all probes",
    ...sorted.map((row) =>
      [
        `  ${row.name.padEnd(12)}`,
        `${Math.round(row.messagesPerSecond / 1_000)} k`.padStart(11),
        row.nsPerMessage.toFixed(0).padStart(12),
        row.bytesPerMessage.toFixed(0).padStart(14),
        row.probeNs.toFixed(0).padStart(21),
      ].join(" ")
    ),
    shark === null
      ? "  tshark: not installed"
      : `  all fixtures ${shark.copies} times, ${shark.packets} packets: decode ` +
        `${shark.ourMs.toFixed(0)} ms, tshark ${shark.sharkMs.toFixed(0)} ms, ` +
        `${(shark.sharkMs / shark.ourMs).toFixed(1)} times as long`,
  ].join("\n");
}
