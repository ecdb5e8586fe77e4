// SPDX-License-Identifier: Apache-2.0
// What bytes to exchanges cost on one core: each load through decode alone and through the chain
// from reassembly to the session window. Counted is the processor time of this process, garbage
// collector included, because on a busy machine the clock on the wall says little.

import process from "node:process";
import type { SocketEvent } from "../../model/capture_record.ts";
import { decode } from "../../operators/decode.ts";
import { infer } from "../../operators/infer.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { reassemble } from "../../operators/reassemble.ts";
import { sessionWindow } from "../../operators/session_window.ts";
import type { ClaimedRecord } from "../../operators/streams/claim.ts";
import { createRegistry } from "../../operators/wire/registry.ts";
import { Conversation, toBytes } from "../support/wire/conversation.ts";
import { median } from "./median.ts";

export interface DecodeReport {
  readonly rows: readonly DecodeRow[];
}

export interface DecodeRow {
  readonly load: string;
  /** Median over the rounds. */
  readonly decodeMessagesPerSecond: number;
  readonly chainMessagesPerSecond: number;
  readonly chainEventsPerSecond: number;
}

interface Load {
  readonly name: string;
  readonly messagesPerEvent: number;
  readonly up: (n: number) => string;
  readonly down: (n: number) => string;
}

const connections = 32;
const eventsPerRound = 120_000;
const rounds = 7;
const warmUpRounds = 3;

const get = (n: number) => {
  const key = `key:${String(n % 10_000).padStart(12, "0")}`;
  return `*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`;
};

const loads: readonly Load[] = [
  { name: "redis GET", messagesPerEvent: 1, up: get, down: () => "$3\r\nxxx\r\n" },
  {
    name: "redis GET, 16 in a pipeline",
    messagesPerEvent: 16,
    up: (n) => Array.from({ length: 16 }, (_, i) => get(n * 16 + i)).join(""),
    down: () => "$3\r\nxxx\r\n".repeat(16),
  },
  {
    name: "http/1.1 GET",
    messagesPerEvent: 1,
    up: (n) =>
      `GET /api/items/${n % 5_000}?page=2 HTTP/1.1\r\nHost: shop.local:8080\r\n` +
      "User-Agent: wrk/4.1.0\r\nAccept: */*\r\n\r\n",
    down: () =>
      "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 22:00:00 GMT\r\n" +
      "Content-Type: application/json\r\nContent-Length: 27\r\nConnection: keep-alive\r\n\r\n" +
      '{"id":1,"name":"A thing"}\r\n',
  },
];

export function decodeBench(): Promise<DecodeReport> {
  return Promise.resolve({ rows: loads.map(measure) });
}

function measure(load: Load): DecodeRow {
  const events = eventsOf(load);
  const messages = events.length * load.messagesPerEvent;
  const decodes: number[] = [], chains: number[] = [];
  for (let round = -warmUpRounds; round < rounds; round++) {
    const decoded = perSecond(messages, decodeOnly(events));
    const chained = perSecond(messages, chain(events));
    if (round < 0) continue;
    decodes.push(decoded);
    chains.push(chained);
  }
  const chainRate = median(chains);
  return {
    load: load.name,
    decodeMessagesPerSecond: median(decodes),
    chainMessagesPerSecond: chainRate,
    chainEventsPerSecond: chainRate / load.messagesPerEvent,
  };
}

function eventsOf(load: Load): SocketEvent[] {
  const talks = Array.from(
    { length: connections },
    (_, conn) => new Conversation({ conn, cookie: BigInt(conn), role: "client" }),
  );
  const events: SocketEvent[] = [];
  for (let n = 0; events.length < eventsPerRound; n++) {
    const talk = talks[n % connections] as Conversation;
    events.push(talk.up(toBytes(load.up(n))), talk.down(toBytes(load.down(n))));
  }
  return events;
}

/** Processor milliseconds of decode alone: what comes before it has run already. */
function decodeOnly(events: readonly SocketEvent[]): number {
  const registry = createRegistry(PROTOCOLS);
  const records: ClaimedRecord[] = [];
  const none = { side: () => {}, drop: () => {} };
  const params = { registry, unknownTcp: false };
  const claims = infer.open(params, { ...none, emit: (record) => void records.push(record) });
  const runs = reassemble.open(undefined, { ...none, emit: (record) => claims.push(record) });
  for (const event of events) runs.push(event);
  let seen = 0;
  const stage = decode.open(undefined, { ...none, emit: () => void seen++ });
  const start = cpuMs();
  for (const record of records) stage.push(record);
  const took = cpuMs() - start;
  if (seen < events.length) throw new Error(`Cannot bench decode: ${seen} messages are too few`);
  return took;
}

function chain(events: readonly SocketEvent[]): number {
  const registry = createRegistry(PROTOCOLS);
  let closed = 0;
  const none = { side: () => {}, drop: () => {} };
  const sessions = sessionWindow.open({ registry, bootId: "boot" }, {
    ...none,
    emit: (event) => void (closed += event.kind === "closed" ? 1 : 0),
  });
  const decodes = decode.open(undefined, { ...none, emit: (record) => sessions.push(record) });
  const claims = infer.open({ registry, unknownTcp: false }, {
    ...none,
    emit: (record) => decodes.push(record),
  });
  const runs = reassemble.open(undefined, { ...none, emit: (record) => claims.push(record) });
  const start = cpuMs();
  for (const event of events) runs.push(event);
  const took = cpuMs() - start;
  if (closed * 2 < events.length) {
    throw new Error(`Cannot bench the chain: ${closed} exchanges are too few`);
  }
  return took;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const perSecond = (messages: number, ms: number) => messages / ms * 1_000;

export function formatDecodeReport({ rows }: DecodeReport): string {
  const k = (rate: number) => `${Math.round(rate / 1_000)} k`.padStart(9);
  return [
    `${"load".padEnd(30)}${"decode msg/s".padStart(14)}${"chain msg/s".padStart(14)}${
      "chain events/s".padStart(16)
    }`,
    ...rows.map((row) =>
      row.load.padEnd(30) + k(row.decodeMessagesPerSecond).padStart(14) +
      k(row.chainMessagesPerSecond).padStart(14) + k(row.chainEventsPerSecond).padStart(16)
    ),
  ].join("\n");
}

if (import.meta.main) console.log(formatDecodeReport(await decodeBench()));
