// SPDX-License-Identifier: Apache-2.0
// Session events of real programs under load, recorded once from the kernel, with the truth that
// the programs logged. Only what link needs is kept: no payload, no addresses, no tokens.
//
// The file is text, compressed. First line: JSON, the endpoints ("protocol endpoint") and the true
// parent of each exchange by number (-1: not known). Then a line per event: what (0 request read,
// 1 request sent, 2 response written, 3 response read), number of the exchange, thread, turn,
// connection, nanoseconds since the event before, endpoint (requests only), coroutine (if known),
// number of the stream (where several share the connection).
// A line that begins with 4 tells who started a coroutine: number and time of birth ("?": not
// known; relative to the first event) of itself, of who started it, and so on; a number below 0 is
// that of who had most likely started the one before. One that begins with
// 5 tells that a thread woke another one: both, and nanoseconds since the event before. With 6, a
// thread begins to connect: connection, thread, turn, nanoseconds since then, number of the peer.
// 7 is like 4, with what the coroutine does from now on before that: the word for it, the object
// that the program keeps for the connection, the stream. Of contexts (numbers from FIRST_CONTEXT
// on) it is the connection itself.

import {
  type CoroutineBirth,
  type CoroutineFact,
  type Fact,
  LIKELY_STARTER,
} from "../../model/capture_record.ts";
import type { Exchange } from "../../model/exchange.ts";
import type { Run } from "./simulated_shapes.ts";
import { connectionOf, exchangeOf, messageOf, type Recorded, respondTo } from "./session_event.ts";
import { NO_PROGRAM, type Program } from "../../model/process.ts";
import type { Nanos } from "../../model/time.ts";

const folder = new URL("recorded/", import.meta.url);

/** Names of the recordings there are; those of `accuracy --keep` end in the number of clients. */
export function recordedRuns(): string[] {
  return [...Deno.readDirSync(folder)]
    .map(({ name }) => name.replace(/\.events\.gz$/, ""))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

export async function readRecordedRun(name: string): Promise<Run> {
  const file = await Deno.readFile(new URL(`${name}.events.gz`, folder));
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  const [head = "", ...lines] = (await new Response(stream).text()).trimEnd().split("\n");
  const { endpoints, parents } = JSON.parse(head) as { endpoints: string[]; parents: number[] };
  const program = { ...NO_PROGRAM, program: 1, tgid: 1, comm: name };
  const exchanges: Exchange[] = [];
  const events: Recorded[] = [];
  const connections = new Map<number, ReturnType<typeof connectionOf>>();
  let nowNs = beginNs;
  let before: Fact[] = [];
  const lastLines = lastLineOfEach(lines);
  for (const [at, line] of lines.entries()) {
    if (isFactLine(line)) {
      const fact = factIn(line, program, nowNs);
      nowNs = fact.emitNs;
      before.push(fact);
      continue;
    }
    const [what = 0, number = 0, tid = 0, turn = 0, conn = 0, gapNs = 0, endpoint = 0, co = 0, id] =
      line.split(" ").map(Number);
    nowNs += BigInt(gapNs);
    const isCall = what % 2 === 1;
    const connection = connections.get(conn) ??
      connectionOf(conn + 1, isCall ? "client" : "server");
    connections.set(conn, connection);
    const by = { tid: tid + 1, turn, program, coroutine: BigInt(co) };
    const known = exchanges[number];
    if (what >= 2 && known !== undefined) {
      const responses = respondTo(known, by, nowNs, lastLines.get(number) === at);
      events.push(...responses.map((each) => ({ ...each, before })));
    } else {
      const [protocol = "", text = ""] = (endpoints[endpoint] ?? "").split(" ");
      const told = { protocol, endpoint: text, ...(id === undefined ? {} : { id }) };
      const direction = isCall ? "egress" : "ingress";
      const seen = messageOf({ by, on: connection, what: told, direction, kind: "request", nowNs });
      const exchange = exchangeOf(BigInt(number + 1), seen);
      exchanges[number] = exchange;
      const event = { kind: "opened", exchange, emitNs: nowNs } as const;
      events.push({ event, apply: () => {}, before });
    }
    before = [];
  }
  const truth = new Map<Exchange, Exchange | null>();
  for (const [number, exchange] of exchanges.entries()) {
    const parent = exchanges[parents[number] ?? -1];
    if (exchange?.kind === "client" && parent !== undefined) truth.set(exchange, parent);
  }
  return { events, truth };
}

const beginNs = 1_000_000_000n;

/** What the source tells between events; most of it has its own time since what came before. */
function factIn(line: string, program: Program, beforeNs: Nanos): Fact {
  const [what, first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = line.split(" ").map(
    Number,
  );
  switch (what) {
    case 5: {
      const by = { tid: first + 1, turn: 0, program, wokenTid: second + 1 };
      return { kind: "activity", what: "wakeup", ...by, emitNs: beforeNs + BigInt(third) };
    }
    case 6: {
      const by = { program, tid: second + 1, turn: third, cookie: BigInt(first + 1) };
      const peer = { ip: "127.0.0.1", port: 1_000 + fifth };
      return { kind: "connect", ...by, peer, emitNs: beforeNs + BigInt(fourth) };
    }
    default:
      return { kind: "coroutine", program, ...coroutineIn(line), emitNs: beforeNs };
  }
}

/** Who started a coroutine, and what it does. */
function coroutineIn(line: string): Pick<CoroutineFact, "line" | "task"> {
  const words = line.split(" ");
  if (words[0] === "4") return { line: birthsIn(words.slice(1)) };
  const [, what, object = "", stream] = words;
  const births = birthsIn(words.slice(4));
  if (what === "given") return { line: births, task: { what, isLooping: stream === "1" } };
  const on = { object: BigInt(object) + 1n, stream: Number(stream) };
  if (what === "reads") return { line: births, task: { what, object: on.object } };
  return {
    line: births,
    task: { what: what === "sends" || what === "begins" ? what : "handles", ...on },
  };
}

function birthsIn(words: readonly string[]): CoroutineBirth[] {
  const births: CoroutineBirth[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) {
    const born = words[i + 1] ?? "?";
    const bornNs = born === "?" ? 0n : beginNs + BigInt(born);
    const number = BigInt(words[i] ?? 0);
    births.push({ coroutine: number < 0n ? LIKELY_STARTER - number : number, bornNs });
  }
  return births;
}

const isFactLine = (line: string): boolean => /^[4-7] /.test(line);

/** By number of the exchange: a response whose head came alone has two lines. */
function lastLineOfEach(lines: readonly string[]): Map<number, number> {
  const lastLines = new Map<number, number>();
  for (const [at, line] of lines.entries()) {
    if (!isFactLine(line)) lastLines.set(Number(line.split(" ")[1]), at);
  }
  return lastLines;
}
