// SPDX-License-Identifier: Apache-2.0
// Decisions on what messages lead to that are likely, by rules that have yet to prove themselves:
// they are looked at once more when later messages have told how right the rules are.

import type { Call, Decision, Origin, ProgramState } from "../program.ts";
import { isDecisive } from "../trust/decisive.ts";
import { askRules, weigh } from "../weigh.ts";
import { mayRipen } from "./messages.ts";

/** Calls in the order of their decisions, and what they follow from. */
export type Ripening = { readonly call: Call; readonly origin: Origin | null }[];

export function letRipen(call: Call, decision: Decision, ripening: Ripening): void {
  if (mayRipen(decision)) ripening.push({ call, origin: call.origin });
  if (ripening.length > ripeningMax) ripening.shift();
}

/** What rules have proven right since. */
export function* ripe(
  ripening: Ripening,
  nowNs: number,
  program: ProgramState,
): Generator<{ readonly call: Call; readonly decision: Decision }> {
  for (let next = ripening[0]; next !== undefined; next = ripening[0]) {
    const { call, origin } = next;
    if (call.doneNs + ripeNs >= nowNs) return;
    ripening.shift();
    call.origin = origin;
    const decision = weigh(call, askRules(call, program), program, true);
    call.origin = null;
    const isSame = decision.parent === call.decision?.parent;
    if (isSame && isDecisive(decision)) yield { call, decision };
  }
}

/** After so long rules have proven themselves on later messages, or not. */
const ripeNs = 1_000_000_000;
const ripeningMax = 1_024;
