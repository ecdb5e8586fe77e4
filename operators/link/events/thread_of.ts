// SPDX-License-Identifier: Apache-2.0
// The thread of a program, or the coroutine, that moved a message.

import { LIMITS } from "../../../model/limits.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { startTurn } from "../batches.ts";
import { contextOf } from "../coroutines/lineage.ts";
import type { ProgramState, Thread } from "../program.ts";

export function threadOf(
  seen: Pick<MessageSeen, "tid" | "coroutine">,
  program: ProgramState,
): Thread {
  return threadById(contextOf(seen, program), program);
}

export function threadById(id: number | bigint, program: ProgramState): Thread {
  const known = program.threads.get(id);
  if (known !== undefined) return known;
  const thread: Thread = {
    last: null,
    lastTurn: 0,
    soFar: startTurn(),
    together: [],
    togetherNs: -1,
    readsRequests: false,
    open: [],
    served: [],
    isCoroutine: typeof id === "bigint",
    isCrossed: false,
    waiting: [],
    between: [],
    acts: [],
    flush: [],
    turnReads: [],
    task: [],
    woken: null,
  };
  if (program.threads.size >= LIMITS.linkThreads.value) forgetIdle(program);
  program.threads.set(id, thread);
  return thread;
}

/** The oldest thread that holds no request; those that do are put behind all others. */
function forgetIdle({ threads }: ProgramState): void {
  let left = busyMax;
  for (const [id, thread] of threads) {
    threads.delete(id);
    if (thread.open.length === 0 || left-- === 0) return;
    threads.set(id, thread);
  }
}

/** Threads that hold requests and are passed over in one go. */
const busyMax = 64;
