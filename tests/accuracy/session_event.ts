// SPDX-License-Identifier: Apache-2.0
// Session events put together for the accuracy suite: exchanges as the session window makes them,
// from the little that links depend on.

import type { Fact } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";
import type { Exchange, SessionEvent } from "../../model/exchange.ts";
import type { Identity, MessageSeen } from "../../model/message.ts";
import type { Program } from "../../model/process.ts";

/** An event, and what must be set on its exchange just before it is shown. */
export interface Recorded {
  readonly event: SessionEvent;
  readonly apply: () => void;
  /** What is told of coroutines, wake-ups and connections before it. */
  readonly before?: readonly Fact[];
}

/** Who does something. */
export interface Actor {
  readonly tid: number;
  readonly turn: number;
  readonly program: Program;
  readonly coroutine?: bigint;
}

export interface What {
  readonly protocol: string;
  readonly endpoint: string;
  readonly identity?: Identity;
  /** Stream of a connection on which there are several. */
  readonly id?: number;
}

export interface Moment {
  readonly by: Actor;
  readonly on: Connection;
  readonly what: What;
  readonly direction: "ingress" | "egress";
  readonly kind: "request" | "response";
  readonly nowNs: bigint;
}

export function connectionOf(conn: number, role: "client" | "server"): Connection {
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

/** A whole message that one call of 1 µs moved. */
export function messageOf({ by, on, what, direction, kind, nowNs }: Moment): MessageSeen {
  return {
    kind: "message",
    connection: on,
    program: by.program,
    protocol: what.protocol,
    tid: by.tid,
    coroutine: by.coroutine ?? 0n,
    turn: by.turn,
    direction,
    message: {
      kind,
      type: "GET",
      resource: what.endpoint,
      domain: "",
      endpoint: what.endpoint,
      code: null,
      status: "unknown",
      id: what.id ?? null,
      identity: what.identity ?? null,
      fields: {},
      more: false,
      clipped: false,
    },
    startNs: nowNs - 1_000n,
    emitNs: nowNs,
    offset: 0,
    seq: -1,
    bytes: 100,
    endTid: by.tid,
  };
}

/** An exchange of which the request was seen. */
export function exchangeOf(spanId: bigint, seen: MessageSeen): Exchange {
  return {
    spanId,
    connection: seen.connection,
    program: seen.program,
    protocol: seen.protocol,
    kind: seen.direction === "egress" ? "client" : "server",
    request: seen,
    response: null,
    startNs: seen.startNs,
    endNs: seen.emitNs,
    endTid: 0,
    endTurn: 0,
    bytesRequest: seen.bytes,
    bytesResponse: 0,
    status: "unknown",
    shape: "exchange",
    lateFields: null,
    clipped: false,
  };
}

/** The response is moved, all of it, which ends the exchange, or its head. */
export function respondTo(
  exchange: Exchange,
  by: Actor,
  nowNs: bigint,
  isWhole = true,
): Recorded[] {
  const id = exchange.request?.message.id;
  const stream = typeof id === "number" ? { id } : {};
  const seen = messageOf({
    by: { ...by },
    on: exchange.connection,
    what: { protocol: exchange.protocol, endpoint: "", ...stream },
    direction: exchange.kind === "client" ? "ingress" : "egress",
    kind: "response",
    nowNs,
  });
  const apply = () => {
    exchange.response = seen;
    exchange.endNs = seen.emitNs;
    exchange.endTid = seen.tid;
    exchange.endTurn = seen.turn;
    exchange.status = "ok";
  };
  const kind = isWhole ? "closed" : "responded";
  return [{ event: { kind, exchange, emitNs: nowNs }, apply }];
}
