// SPDX-License-Identifier: Apache-2.0
// Evidence 1: the call carries an id in its bytes that the work carries as well.
//
// A trace id alone may be shared by several works of one program (fan-in). Then the parent id tells
// them apart if the program passes it on unchanged; otherwise the rule abstains.

import type { Identity } from "../../../model/message.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { Call, ProgramState, Work } from "../program.ts";

/** The one work that shares an id with the call, or null. */
export function sameIdentity(call: Call, program: ProgramState): Work | null {
  if (program.byIdentity.size === 0) return null;
  const { request, response } = call.exchange;
  return sharing(request?.message.identity, call, program) ??
    sharing(response?.message.identity, call, program);
}

/** True if both carry a trace id and these differ: the work is hardly the parent. */
export function contradictsIdentity(call: Call, work: Work): boolean {
  const ofCall = call.exchange.request?.message.identity?.traceId;
  if (ofCall === undefined) return false;
  const ofWork = work.exchange.request?.message.identity?.traceId;
  return ofWork !== undefined && ofWork !== ofCall;
}

/** Keys under which a work is found: of its request, and of its response once that is known. */
export function identityKeys(exchange: Exchange): string[] {
  const keys: string[] = [];
  for (const message of [exchange.request, exchange.response]) {
    const identity = message?.message.identity;
    if (identity?.traceId !== undefined) keys.push(traceKey(identity.traceId));
    if (identity?.requestId !== undefined) keys.push(requestKey(identity.requestId));
  }
  return keys;
}

function sharing(
  identity: Identity | null | undefined,
  call: Call,
  program: ProgramState,
): Work | null {
  if (identity === null || identity === undefined) return null;
  const { traceId, requestId, parentId } = identity;
  if (requestId !== undefined) {
    const works = (program.byIdentity.get(requestKey(requestId)) ?? []).filter(before(call));
    if (works.length === 1) return works[0] ?? null;
  }
  if (traceId === undefined) return null;
  const works = (program.byIdentity.get(traceKey(traceId)) ?? []).filter(before(call));
  if (works.length <= 1) return works[0] ?? null;
  const passedOn = works.filter((work) =>
    parentId !== undefined && work.exchange.request?.message.identity?.parentId === parentId
  );
  return passedOn.length === 1 ? passedOn[0] ?? null : null;
}

const before = (call: Call) => (work: Work): boolean =>
  work.order < call.orderBefore && work.endNs >= call.sentNs;

const traceKey = (id: string) => `t${id}`;
const requestKey = (id: string) => `r${id}`;
