// SPDX-License-Identifier: Apache-2.0
// Programs of one side: most databases only serve, load generators only ask. In neither is anything
// to be linked, so only that is noted which the first call, or the first request, will need.

import type { Call, ProgramState } from "./program.ts";

/** It has read no request. */
export const onlyAsks = ({ nextOrder }: ProgramState): boolean => nextOrder === 0;

/** It has sent no request, nor opened a connection while it worked on one. */
export const onlyServes = ({ hasAsked }: ProgramState): boolean => !hasAsked;

/** No request had been read when it was sent: it is on nobody's behalf. */
export const isUnasked = ({ orderBefore }: Call): boolean => orderBefore === 0;

/** It sends for the first time: what its threads have read and not answered may have led to it. */
export function beginToAsk(program: ProgramState): void {
  program.hasAsked = true;
  for (const thread of program.threads.values()) {
    thread.waiting = thread.open.filter((work) => work !== thread.last);
  }
}
