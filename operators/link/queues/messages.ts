// SPDX-License-Identifier: Apache-2.0
// Messages of brokers as they come by: publications that a broker is handed, deliveries that begin
// a work in the consumer, and what is sent because of either.

import type { Exchange } from "../../../model/exchange.ts";
import type { Candidate } from "../../../model/link.ts";
import { withVote } from "../../../model/links/votes.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { threadOf } from "../events/thread_of.ts";
import type { ProgramState, Work } from "../program.ts";
import { addDelivery, beforeDelivery, settle } from "./deliveries.ts";
import { notePublication, publicationsOf } from "./parcels.ts";

/** A broker sends a message on, or a consumer says that it is done with one: neither is a call. */
export function isPassedOn({ request }: Exchange): boolean {
  if (request === null || request.direction !== "egress") return false;
  const role = request.message.envelope?.role;
  return role === "deliver" || role === "settle";
}

/** A message begins a work that no answer ends. */
export function isOpenDelivery({ exchange: { request }, endNs }: Work): boolean {
  const envelope = request?.message.envelope;
  return envelope?.role === "deliver" && !envelope.isAnswered && endNs === Infinity;
}

/** Works that are over because their thread reads another message. */
export function overBeforeReading(seen: MessageSeen, program: ProgramState): Work[] {
  if (seen.message.envelope?.role !== "deliver") return [];
  return beforeDelivery(threadOf(seen, program), Number(seen.emitNs), program.deliveries);
}

/** Something was read; returns a work that is given up for it. */
export function noteMessage(
  work: Work,
  { message: { envelope }, emitNs }: MessageSeen,
  program: ProgramState,
): Work | null {
  if (!envelope) return null;
  if (envelope.role === "publish") {
    notePublication(work.exchange.spanId, envelope.keys, Number(emitNs), program.parcels);
  }
  return isOpenDelivery(work) ? addDelivery(work, envelope.receipt, program.deliveries) : null;
}

/** What a message that is passed on follows from. */
export function passedOn(
  { spanId, request, connection: { conn } }: Exchange,
  { deliveries, parcels }: ProgramState,
): readonly Candidate[] {
  const envelope = request?.message.envelope;
  if (request === null || !envelope) return [];
  if (envelope.role === "deliver") {
    return publicationsOf(spanId, envelope.keys, conn, Number(request.emitNs), parcels);
  }
  const settled = settle(conn, envelope, deliveries);
  if (settled === null) return [];
  const votes = withVote("", "settles", sure);
  return [{
    ...{ span_id: spanId, parent_id: settled.exchange.spanId, evidence: "message", votes },
    ...{ score: sure, rank: 0, among: 1 },
  }];
}

const sure = 0.999;
