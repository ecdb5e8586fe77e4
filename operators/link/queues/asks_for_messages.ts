// SPDX-License-Identifier: Apache-2.0
// That a consumer asks for messages is not done on behalf of one that it has.

import type { Call, Decision } from "../program.ts";

export const asksForMessages = ({ exchange: { request } }: Pick<Call, "exchange">): boolean =>
  request?.message.envelope?.role === "receive";

/** The decision on a call, unless it asks for messages on behalf of one. */
export function exceptForMessages(call: Call, decision: Decision): Decision {
  const role = decision.parent?.exchange.request?.message.envelope?.role;
  return role === "deliver" && asksForMessages(call) ? nobodys : decision;
}

const nobodys: Decision = {
  ...{ parent: null, confidence: 1, candidates: [], rule: -1, byOrder: false, fromId: null },
  asTarget: null,
};
