// SPDX-License-Identifier: Apache-2.0
// Which Python processes run loops of asyncio now, and whether their tasks can be told apart: for
// diagnosis. Processes without a loop are left out.

import type { ProcessFiles } from "./python_runtime.ts";
import { pythonWatch } from "./python_watch.ts";

export interface PythonFinding {
  readonly tgid: number;
  readonly exe: string;
  /** Why its tasks cannot be told apart; "" where they can. */
  readonly gap: string;
}

export function surveyPython(
  processes: readonly { readonly tgid: number; readonly exe: string }[],
  files: ProcessFiles,
): PythonFinding[] {
  const read = new Set<number>();
  const programs = { add: (tgid: number) => void read.add(tgid), attach() {}, whyNot: null };
  const watch = pythonWatch({ ...files, programs, nowMs: () => 0 });
  for (const { tgid, exe } of processes) watch.meet(tgid, exe);
  const gaps = watch.gaps();
  const whole = processes.filter(({ tgid }) =>
    read.has(tgid) && !gaps.some((each) => each.tgid === tgid)
  );
  return [...gaps, ...whole.map(({ tgid, exe }) => ({ tgid, exe, gap: "" }))];
}
