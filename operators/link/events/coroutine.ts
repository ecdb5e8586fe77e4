// SPDX-License-Identifier: Apache-2.0
// The source tells of a coroutine: who started it, and what it does from now on.

import type { CoroutineFact } from "../../../model/capture_record.ts";
import { noteContext } from "../coroutines/contexts.ts";
import { noteGiven, noteLine } from "../coroutines/lineage.ts";
import { noteTask } from "../coroutines/streams.ts";
import { noteAwaiters } from "../coroutines/tasks.ts";
import type { ProgramState } from "../program.ts";

/** In `line` it comes first, then who started it, who started that one … */
export function noteCoroutine({ line, task, emitNs }: CoroutineFact, program: ProgramState): void {
  if (noteContext(line, task, program)) return;
  if (task?.what === "given") return noteGiven(line, task.isLooping, program);
  noteLine(line, program);
  noteAwaiters(line, program);
  if (task !== undefined) noteTask(line, task, Number(emitNs), program);
}
