// SPDX-License-Identifier: Apache-2.0
// Fills in an exchange as its messages come.

import type { Exchange } from "../../model/exchange.ts";
import type { Attributes, MessageEnd, MessageSeen } from "../../model/message.ts";
import type { SpanKind } from "../../model/status.ts";
import type { Nanos } from "../../model/time.ts";

/** An exchange that begins with this message: its request, its one message, or its response. */
export function newExchange(spanId: bigint, seen: MessageSeen): Exchange {
  const { message } = seen;
  const alone = message.kind === "oneway";
  const responseOnly = message.kind === "response";
  // Whoever waits for a message begins with it once it is there.
  const isDelivered = message.envelope?.role === "deliver" && seen.direction === "ingress";
  return {
    spanId,
    connection: seen.connection,
    program: seen.program,
    protocol: seen.protocol,
    kind: kindOf(seen),
    request: responseOnly ? null : seen,
    response: null,
    startNs: isDelivered ? seen.emitNs : seen.startNs,
    endNs: seen.emitNs,
    endTid: alone ? seen.endTid : 0,
    endTurn: alone ? seen.turn : 0,
    bytesRequest: responseOnly ? 0 : seen.bytes,
    bytesResponse: 0,
    status: alone ? message.status : "unknown",
    shape: alone ? "one_way" : responseOnly ? "response_only" : "exchange",
    lateFields: null,
    clipped: message.clipped,
  };
}

/** The program that sends the request is the client; one-way messages are produced, consumed. */
function kindOf(seen: MessageSeen): SpanKind {
  const out = seen.direction === "egress";
  if (seen.message.kind === "oneway") return out ? "producer" : "consumer";
  return out === (seen.message.kind === "request") ? "client" : "server";
}

/** The response, or its head. */
export function respond(exchange: Exchange, seen: MessageSeen): void {
  const { message } = seen;
  exchange.response = seen;
  exchange.bytesResponse = seen.bytes;
  exchange.status = message.status;
  setEnd(exchange, seen.emitNs, seen.endTid, seen.turn);
  if (message.clipped) exchange.clipped = true;
}

/** The rest of the request has passed. */
export function endRequest(exchange: Exchange, end: MessageEnd): void {
  exchange.bytesRequest = end.bytes;
  if (exchange.shape === "one_way") {
    setEnd(exchange, end.emitNs, end.endTid, end.turn);
    if (end.status !== undefined) exchange.status = end.status;
  }
  addLate(exchange, end.fields);
}

/** The rest of the response has passed. */
export function endResponse(exchange: Exchange, end: MessageEnd): void {
  exchange.bytesResponse = end.bytes;
  setEnd(exchange, end.emitNs, end.endTid, end.turn);
  if (end.status !== undefined) exchange.status = end.status;
  if (end.code !== undefined && exchange.response !== null) {
    const message = { ...exchange.response.message, code: end.code };
    exchange.response = { ...exchange.response, message };
  }
  addLate(exchange, end.fields);
}

/** Records of a connection can be out of order by a little: no end lies before its start. */
function setEnd(exchange: Exchange, endNs: Nanos, tid: number, turn: number): void {
  exchange.endNs = endNs > exchange.startNs ? endNs : exchange.startNs;
  exchange.endTid = tid;
  exchange.endTurn = turn;
}

function addLate(exchange: Exchange, fields: Attributes | undefined): void {
  if (fields !== undefined) exchange.lateFields = { ...exchange.lateFields, ...fields };
}
