// SPDX-License-Identifier: Apache-2.0
// Turns what simulated programs do into session events, and keeps the truth about who called whom.

import type { Connection } from "../../../model/connection.ts";
import type { Exchange } from "../../../model/exchange.ts";
import { NO_PROGRAM, type Program } from "../../../model/process.ts";
import {
  connectionOf,
  exchangeOf,
  messageOf,
  type Recorded,
  respondTo,
  type What,
} from "../session_event.ts";
import type { Clock } from "./clock.ts";

export interface SimulatedThread {
  readonly tid: number;
  readonly program: Program;
  turn: number;
}

export interface Recorder {
  readonly events: Recorded[];
  /** True parent of each call, null for background work. */
  readonly truth: Map<Exchange, Exchange | null>;
  readonly program: (comm: string) => Program;
  readonly thread: (program: Program) => SimulatedThread;
  readonly connection: (role: "client" | "server") => Connection;
  readonly readRequest: (by: SimulatedThread, on: Connection, what: What) => Exchange;
  readonly sendRequest: (
    by: SimulatedThread,
    on: Connection,
    what: What,
    parent: Exchange | null,
  ) => Exchange;
  /** The response was written (server) or read (client) and the exchange is over. */
  readonly respond: (by: SimulatedThread, exchange: Exchange) => void;
}

export function startRecorder(clock: Clock): Recorder {
  const events: Recorded[] = [];
  const truth = new Map<Exchange, Exchange | null>();
  let programs = 0;
  let threads = 1000;
  let connections = 0;
  let spans = 0n;

  function open(by: SimulatedThread, on: Connection, what: What, isCall: boolean): Exchange {
    const nowNs = BigInt(clock.nowNs());
    const direction = isCall ? "egress" : "ingress";
    const seen = messageOf({ by, on, what, direction, kind: "request", nowNs });
    const exchange = exchangeOf(++spans, seen);
    events.push({ event: { kind: "opened", exchange, emitNs: nowNs }, apply: () => {} });
    return exchange;
  }

  return {
    events,
    truth,
    program: (comm) => ({ ...NO_PROGRAM, program: ++programs, tgid: 100 + programs, comm }),
    thread: (program) => ({ tid: ++threads, program, turn: 1 }),
    connection: (role) => connectionOf(++connections, role),
    readRequest: (by, on, what) => open(by, on, what, false),
    sendRequest(by, on, what, parent) {
      const exchange = open(by, on, what, true);
      truth.set(exchange, parent);
      return exchange;
    },
    respond: (by, exchange) => void events.push(...respondTo(exchange, by, BigInt(clock.nowNs()))),
  };
}
