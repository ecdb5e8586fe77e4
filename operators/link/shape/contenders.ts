// SPDX-License-Identifier: Apache-2.0
// How many of the open requests could have sent a call, by what such requests do next.

import { contestOf } from "../trust/crowd.ts";
import { enclosing } from "../evidence/nesting.ts";
import type { Call, ProgramState } from "../program.ts";
import { isPossible } from "../trust/repertoire.ts";
import { kindShare } from "./flow.ts";
import { chapterAt, nextStep } from "./story.ts";

/** `isTold`: the stories of the requests that are open are known. */
export function contestFor(call: Call, isTold: boolean, program: ProgramState): number {
  if (call.openBefore <= 1) return 0;
  const { works, count } = enclosing(call, program, lookedAtMax);
  let able = 0;
  for (const work of works) {
    if (!isPossible(work, call, program)) continue;
    if (isTold) {
      const step = nextStep(chapterAt(work, call.sentNs), call.kind, call.sentNs, call.thread);
      if (kindShare(step, program.flow) < shareMin) continue;
    }
    able++;
  }
  return contestOf(call.openBefore, able * count / Math.max(1, works.length));
}

const lookedAtMax = 12;
const shareMin = 0.03;
