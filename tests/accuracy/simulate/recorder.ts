// SPDX-License-Identifier: Apache-2.0
// Turns what simulated programs do into session events, and keeps the truth about who called whom.

import type { Connection } from "../../../model/connection.ts";
import type { Exchange, SessionEvent } from "../../../model/exchange.ts";
import type { Identity, Message, MessageSeen } from "../../../model/message.ts";
import { NO_PROGRAM, type Program } from "../../../model/process.ts";
import type { Clock } from "./clock.ts";

export interface SimulatedThread {
  readonly tid: number;
  readonly program: Program;
  turn: number;
}

/** An event, and what must be set on its exchange just before it is shown. */
export interface Recorded {
  readonly event: SessionEvent;
  readonly apply: () => void;
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

export interface What {
  readonly protocol: string;
  readonly endpoint: string;
  readonly identity?: Identity;
}

export function startRecorder(clock: Clock): Recorder {
  const events: Recorded[] = [];
  const truth = new Map<Exchange, Exchange | null>();
  let programs = 0;
  let threads = 1000;
  let connections = 0;
  let spans = 0n;

  function open(by: SimulatedThread, on: Connection, what: What, isCall: boolean): Exchange {
    const seen = message(by, on, what, isCall ? "egress" : "ingress", clock, "request");
    const exchange: Exchange = {
      spanId: ++spans,
      connection: on,
      program: by.program,
      protocol: what.protocol,
      kind: isCall ? "client" : "server",
      request: seen,
      response: null,
      startNs: seen.startNs,
      endNs: seen.emitNs,
      endTid: 0,
      endTurn: 0,
      bytesRequest: 100,
      bytesResponse: 0,
      status: "unknown",
      shape: "exchange",
      lateFields: null,
      clipped: false,
    };
    const apply = () => {};
    events.push({ event: { kind: "opened", exchange, emitNs: seen.emitNs }, apply });
    return exchange;
  }

  return {
    events,
    truth,
    program: (comm) => ({ ...NO_PROGRAM, program: ++programs, tgid: 100 + programs, comm }),
    thread: (program) => ({ tid: ++threads, program, turn: 1 }),
    connection: (role) => connection(++connections, role),
    readRequest: (by, on, what) => open(by, on, what, false),
    sendRequest(by, on, what, parent) {
      const exchange = open(by, on, what, true);
      truth.set(exchange, parent);
      return exchange;
    },
    respond(by, exchange) {
      const isCall = exchange.kind === "client";
      const what = { protocol: exchange.protocol, endpoint: "" };
      const on = exchange.connection;
      const seen = message(by, on, what, isCall ? "ingress" : "egress", clock, "response");
      const { turn, tid } = by;
      const apply = () => {
        exchange.response = seen;
        exchange.endNs = seen.emitNs;
        exchange.endTid = tid;
        exchange.endTurn = turn;
        exchange.status = "ok";
      };
      const emitNs = seen.emitNs;
      events.push({ event: { kind: "responded", exchange, emitNs }, apply });
      events.push({ event: { kind: "closed", exchange, emitNs }, apply });
    },
  };
}

function connection(conn: number, role: "client" | "server"): Connection {
  return {
    conn,
    cookie: BigInt(conn),
    transport: "tcp",
    netns: 1,
    role,
    local: { ip: "127.0.0.1", port: 10_000 + conn % 50_000 },
    peer: { ip: "127.0.0.1", port: 80 },
    startNs: 1n,
    joinedMidstream: false,
    observer: "process",
    peerCookie: 0n,
  };
}

function message(
  by: SimulatedThread,
  on: Connection,
  what: What,
  direction: "ingress" | "egress",
  clock: Clock,
  kind: "request" | "response",
): MessageSeen {
  const emitNs = BigInt(clock.nowNs());
  const text: Message = {
    kind,
    type: "GET",
    resource: what.endpoint,
    domain: "",
    endpoint: what.endpoint,
    code: null,
    status: "unknown",
    id: null,
    identity: what.identity ?? null,
    fields: {},
    more: false,
    clipped: false,
  };
  return {
    kind: "message",
    connection: on,
    program: by.program,
    protocol: what.protocol,
    tid: by.tid,
    coroutine: 0n,
    turn: by.turn,
    direction,
    message: text,
    startNs: emitNs - 1_000n,
    emitNs,
    offset: 0,
    seq: -1,
    bytes: 100,
    endTid: by.tid,
  };
}
