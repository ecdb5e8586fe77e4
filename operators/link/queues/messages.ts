// SPDX-License-Identifier: Apache-2.0
// Messages of brokers as they come by: publications that a broker is handed, deliveries that begin
// a work in the consumer, and what is sent because of either.

import type { Exchange } from "../../../model/exchange.ts";
import { type Candidate, CERTAIN_FROM } from "../../../model/link.ts";
import { withVote } from "../../../model/links/votes.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { threadOf } from "../events/thread_of.ts";
import type { Decision, ProgramState, Thread, Work } from "../program.ts";
import { addDelivery, beforeDelivery, settle } from "./deliveries.ts";
import { notePublication, publicationsOf } from "./parcels.ts";

/** A broker sends a message on, or a consumer says that it is done with one: neither is a call. */
export function isPassedOn({ request }: Exchange): boolean {
  if (request === null || request.direction !== "egress") return false;
  const role = request.message.envelope?.role;
  return role === "deliver" || role === "settle";
}

/** A message begins a work that no answer ends, unless it was asked for on behalf of another. */
function beginsWork({ thread, exchange: { request } }: Work): boolean {
  const envelope = request?.message.envelope;
  if (envelope?.role !== "deliver" || envelope.isAnswered) return false;
  return !envelope.isPulled || !isServing(thread);
}

/** It works on one request, and is no loop that works on many. */
function isServing({ open, isCrossed }: Thread): boolean {
  const [first, second] = open;
  if (first === undefined || second === undefined || isCrossed) return false;
  return open.length === 2 && first.exchange.request?.message.envelope?.role !== "deliver";
}

/** Works that are over because their thread reads another message, or asks for one. */
export function overThereby(seen: MessageSeen, program: ProgramState): Work[] {
  const role = seen.message.envelope?.role;
  if (role !== "deliver" && role !== "receive") return [];
  const atNs = Number(role === "deliver" ? seen.emitNs : seen.startNs);
  return beforeDelivery(threadOf(seen, program), atNs, program.deliveries);
}

/**
 * What the rules say of a call is likely, but they have not proven themselves: only how regular the
 * works on messages are tells how right they are, and that is soon known.
 */
export function mayRipen({ parent, confidence, byOrder }: Decision): boolean {
  if (parent === null || byOrder || confidence < likelyFrom || confidence >= CERTAIN_FROM) {
    return false;
  }
  return parent.exchange.request?.message.envelope?.role === "deliver";
}

const likelyFrom = 0.6;

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
  return beginsWork(work) ? addDelivery(work, envelope.receipt, program.deliveries) : null;
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
    ...{ span_id: spanId, parent_id: settled, evidence: "message", votes },
    ...{ score: sure, rank: 0, among: 1 },
  }];
}

const sure = 0.999;
