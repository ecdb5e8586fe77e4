// SPDX-License-Identifier: Apache-2.0
// Turns a recording of a program under load into what recorded_run.ts reads: the session events of
// the process that read the requests of the load, and the true parents by its log.

import { Flow } from "../../../engine/flow.ts";
import { run } from "../../../engine/run.ts";
import { forEach } from "../../../engine/sink.ts";
import {
  type Activity,
  type CaptureRecord,
  type ConnectFact,
  type CoroutineFact,
  FIRST_CONTEXT,
  isContext,
  isSocketRecord,
  LIKELY_STARTER,
  type SocketRecord,
} from "../../../model/capture_record.ts";
import { formatAddress } from "../../../model/connection.ts";
import type { Exchange, SessionEvent } from "../../../model/exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { decode } from "../../../operators/decode.ts";
import { infer } from "../../../operators/infer.ts";
import { PROTOCOLS } from "../../../operators/protocols/registry.gen.ts";
import { reassemble } from "../../../operators/reassemble.ts";
import { sessionWindow } from "../../../operators/session_window.ts";
import { openReplay } from "../../../operators/sources/replay_source.ts";
import { createRegistry } from "../../../operators/wire/registry.ts";
import { unmasked } from "../../../operators/wire/unmasked.ts";
import { type CallLog, tokenIn } from "./score_spans.ts";

/** Writes `path`; `port` is where the process listens. */
export async function writeRecordedRun(
  path: string,
  recording: string,
  { port, log }: { readonly port: number; readonly log: CallLog },
): Promise<void> {
  const events = await eventsOf(recording);
  const isFront = ({ kind, connection }: Exchange) =>
    kind === "server" && connection.local.port === port;
  const front = events.find((event) => "exchange" in event && isFront(event.exchange));
  const own = events.filter((event) =>
    front !== undefined && programOf(event) === programOf(front)
  );
  const text = textOf(own, log);
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(path, stream);
}

type Event = SessionEvent | CoroutineFact | ConnectFact | Activity;

function programOf(event: Event): number {
  return ("exchange" in event ? event.exchange : event).program.program;
}

async function eventsOf(recording: string): Promise<Event[]> {
  const replay = openReplay(recording);
  const registry = createRegistry(PROTOCOLS.map(unmasked));
  const events: Event[] = [];
  const isSocketRecordNow = (record: CaptureRecord): record is SocketRecord => {
    if (record.kind === "coroutine" || record.kind === "connect") events.push(record);
    if (record.kind === "activity" && record.what === "wakeup") events.push(record);
    return isSocketRecord(record);
  };
  const sessions = Flow.of(replay.source)
    .filter(isSocketRecordNow, "socket_records")
    .through(reassemble)
    .through(infer, { registry, unknownTcp: false })
    .through(decode)
    .through(sessionWindow, { registry, bootId: replay.header.host.bootId });
  await using running = run(sessions.into(forEach("kept", (event) => void events.push(event))));
  await running.finished;
  return events;
}

function textOf(events: readonly Event[], log: CallLog): string {
  const coroutines = numbering<bigint>();
  const exchanges = numbering<Exchange>();
  const threads = numbering<number>();
  const connections = numbering<bigint>();
  const destinations = numbering<string>();
  const endpoints = numbering<string>();
  const objects = numbering<bigint>();
  const lines: string[] = [];
  let lastNs: bigint | null = null;
  const firstNs = beginOf(events);
  for (const event of events) {
    if (event.kind === "coroutine") {
      lines.push(coroutineLine(event, { coroutines, objects, connections }, firstNs));
      continue;
    }
    if (event.kind === "connect") {
      lines.push([
        6,
        connections.of(event.cookie),
        threads.of(event.tid),
        event.turn,
        lastNs === null ? 0 : event.emitNs - lastNs,
        destinations.of(formatAddress(event.peer)),
      ].join(" "));
      lastNs = event.emitNs;
      continue;
    }
    if (event.kind === "activity") {
      if (lastNs === null || event.wokenTid === undefined) continue;
      const [waker, woken] = [threads.of(event.tid), threads.of(event.wokenTid)];
      lines.push(`5 ${waker} ${woken} ${event.emitNs - lastNs}`);
      lastNs = event.emitNs;
      continue;
    }
    const { kind, exchange } = event;
    const seen = kind === "opened" ? exchange.request : exchange.response;
    if (kind === "streaming" || seen === null) continue;
    if (kind === "closed" && !exchanges.has(exchange)) continue;
    const isCall = exchange.kind === "client";
    // What comes in parts ends after its head, maybe in another turn.
    const isEnd = kind === "closed" && exchange.endTurn !== 0;
    const atNs = kind === "closed" ? exchange.endNs : seen.emitNs;
    lines.push([
      (kind === "opened" ? 0 : 2) + (isCall ? 1 : 0),
      exchanges.of(exchange),
      threads.of(isEnd ? exchange.endTid : seen.tid),
      isEnd ? exchange.endTurn : seen.turn,
      connections.of(exchange.connection.cookie),
      lastNs === null ? 0 : atNs - lastNs,
      kind === "opened" ? endpoints.of(`${seen.protocol} ${seen.message.endpoint}`) : 0,
      ...coroutineWords(seen, coroutines),
    ].join(" "));
    lastNs = atNs;
  }
  const parents = parentsOf(exchanges.all(), log);
  return `${JSON.stringify({ endpoints: endpoints.all(), parents })}\n${lines.join("\n")}\n`;
}

/** Time of the first event from which on times are told. */
function beginOf(events: readonly Event[]): bigint {
  const first = events.find((event) =>
    event.kind === "connect" || ("exchange" in event && event.exchange.request !== null)
  );
  if (first === undefined) return 0n;
  return "exchange" in first ? first.exchange.request?.emitNs ?? 0n : first.emitNs;
}

function coroutineLine(
  { line, task }: CoroutineFact,
  { coroutines, objects, connections }: Readonly<
    Record<"coroutines" | "objects" | "connections", Numbering<bigint>>
  >,
  firstNs: bigint,
): string {
  const births = line.map(({ coroutine, bornNs }) =>
    `${numberIn(coroutine, coroutines)} ${bornNs === 0n ? "?" : bornNs - firstNs}`
  ).join(" ");
  if (task === undefined) return `4 ${births}`;
  if (task.what === "given") return `7 given 0 ${Number(task.isLooping)} ${births}`;
  const stream = task.what === "reads" ? 0 : task.stream;
  const numbers = isContext(line[0]?.coroutine ?? 0n) ? connections : objects;
  return `7 ${task.what} ${numbers.of(task.object)} ${stream} ${births}`;
}

/** Below 0: who has most likely started the one before. */
function numberIn(coroutine: bigint, { of }: Numbering<bigint>): number {
  if (coroutine === 0n) return 0;
  if (isContext(coroutine)) return Number(FIRST_CONTEXT) + of(coroutine) + 1;
  const isLikely = coroutine >= LIKELY_STARTER;
  return isLikely ? -(of(coroutine - LIKELY_STARTER) + 1) : of(coroutine) + 1;
}

/** The coroutine, and the stream of the connection where there are several. */
function coroutineWords({ coroutine, message: { id } }: MessageSeen, of: Numbering<bigint>) {
  if (coroutine === 0n && typeof id !== "number") return [];
  return [numberIn(coroutine, of), ...(typeof id === "number" ? [id] : [])];
}

/** By number of the exchange, the number of its parent; -1 where the log tells none. */
function parentsOf(exchanges: readonly Exchange[], log: CallLog): number[] {
  const tokens = exchanges.map(({ request }) => tokenIn(request?.message.resource ?? ""));
  const readAt = new Map<string, number>();
  for (const [number, { kind }] of exchanges.entries()) {
    const token = tokens[number];
    if (kind === "server" && token !== undefined) readAt.set(token, number);
  }
  const parentOf = new Map<string, string>();
  for (const [token, sent] of log) for (const each of sent) parentOf.set(each, token);
  return exchanges.map(({ kind }, number) => {
    const parent = parentOf.get(tokens[number] ?? "");
    return kind === "client" && parent !== undefined ? readAt.get(parent) ?? -1 : -1;
  });
}

type Numbering<T> = ReturnType<typeof numbering<T>>;

/** Numbers things from 0 in the order in which they are first asked for. */
function numbering<T>() {
  const numbers = new Map<T, number>();
  return {
    has: (thing: T): boolean => numbers.has(thing),
    all: (): T[] => [...numbers.keys()],
    of(thing: T): number {
      const number = numbers.get(thing) ?? numbers.size;
      numbers.set(thing, number);
      return number;
    },
  };
}
