// SPDX-License-Identifier: Apache-2.0
// The rules that point at the parent of a call, in order of trust, with what is assumed of each.

import type { Evidence } from "../../model/link.ts";
import { sameIdentity } from "./evidence/identity.ts";
import { sameThread } from "./evidence/thread.ts";
import type { Call, ProgramState, Work } from "./program.ts";
import type { Prior } from "./reliability.ts";

export interface Rule {
  readonly name: string;
  readonly evidence: Evidence;
  readonly prior: Prior;
  /**
   * True: to be silent about a call whose parent is known counts as a failure. So it is for rules
   * that, where they hold at all, hold for every call.
   */
  readonly speaksAlways: boolean;
  /** Asked when the call has ended. Rules told by later events set `call.points` themselves. */
  readonly pointsAt: (call: Call, program: ProgramState) => Work | null;
}

export const RULES: readonly Rule[] = [
  {
    name: "identity",
    evidence: "identity",
    prior: { right: 1_000, wrong: 1, provenFrom: 0 },
    speaksAlways: false,
    pointsAt: sameIdentity,
  },
  {
    name: "thread",
    evidence: "thread",
    prior: { right: 60, wrong: 1, provenFrom: 0 },
    speaksAlways: true,
    pointsAt: sameThread,
  },
];

export const IDENTITY = 0;
