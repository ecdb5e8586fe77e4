// SPDX-License-Identifier: Apache-2.0
// Which Go programs run now, and what can be told of each: a look without probes, for diagnosis.

import type { HostFile } from "../../../ffi/host_file.ts";
import { type Inspected, inspectProgram } from "./go_program.ts";

export interface GoFinding {
  /** Processes that run it. */
  readonly tgids: readonly number[];
  readonly exe: string;
  /** Version of Go that built it, "" where that cannot be told. */
  readonly version: string;
  /** Its goroutines can be told apart. */
  readonly isRead: boolean;
  /** What cannot be told, and why. */
  readonly gaps: readonly string[];
}

export function surveyGo(
  processes: readonly { readonly tgid: number; readonly exe: string }[],
  open: (path: string) => HostFile | undefined,
): GoFinding[] {
  const byFile = new Map<string, { inspected: Inspected; exe: string; tgids: number[] }>();
  for (const { tgid, exe } of processes) {
    using file = open(`/proc/${tgid}/exe`);
    if (file === undefined) continue;
    const known = byFile.get(file.identity);
    if (known === undefined) {
      byFile.set(file.identity, { inspected: inspectProgram(file), exe, tgids: [tgid] });
    } else known.tgids.push(tgid);
  }
  return [...byFile.values()].flatMap(({ inspected, exe, tgids }): GoFinding[] => {
    switch (inspected.kind) {
      case "other":
        return [];
      case "unreadable":
        return [{ tgids, exe, version: "", isRead: false, gaps: [inspected.reason] }];
      case "go": {
        const { version, gaps } = inspected;
        return [{ tgids, exe, version, isRead: true, gaps }];
      }
    }
  });
}
