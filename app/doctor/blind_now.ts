// SPDX-License-Identifier: Apache-2.0
// What would be a blind spot of a trace that starts now: who uses io_uring, and which connections
// are open already.

import type { HostFiles } from "../../ffi/host_files.ts";
import { countText } from "../cli/terminal/quantity_text.ts";

/** Programs that are named; the number of the rest is told. */
const NAMED_MAX = 8;
/** Descriptors of one process that are looked at. */
const DESCRIPTORS_MAX = 256;
const ESTABLISHED = "01";

export interface RunningProcess {
  readonly tgid: number;
  readonly comm: string;
}

/** Sentences; none where there is nothing to say. */
export function blindNow(
  processes: readonly RunningProcess[],
  files: Pick<HostFiles, "text" | "link">,
): string[] {
  const rings = processes.filter(({ tgid }) => hasRing(tgid, files));
  const open = ["/proc/net/tcp", "/proc/net/tcp6"]
    .reduce((sum, path) => sum + establishedIn(files.text(path) ?? ""), 0);
  return [
    ...(rings.length === 0 ? [] : [`io_uring is used here by ${namesOf(rings)}`]),
    ...(open === 0 ? [] : [
      `${
        countText(open)
      } ends of TCP connections are open now: a trace that starts now joins them ` +
      "in their middle, and tells so",
    ]),
  ];
}

function hasRing(tgid: number, files: Pick<HostFiles, "text" | "link">): boolean {
  const size = Number(/^FDSize:\s*(\d+)/m.exec(files.text(`/proc/${tgid}/status`) ?? "")?.[1] ?? 0);
  for (let fd = 0; fd < Math.min(size, DESCRIPTORS_MAX); fd++) {
    if (files.link(`/proc/${tgid}/fd/${fd}`) === "anon_inode:[io_uring]") return true;
  }
  return false;
}

/** Lines of the table whose fourth word is the state of an open connection. */
function establishedIn(table: string): number {
  return table.split("\n").slice(1).filter((line) => line.trim().split(/\s+/)[3] === ESTABLISHED)
    .length;
}

function namesOf(processes: readonly RunningProcess[]): string {
  const named = processes.slice(0, NAMED_MAX).map(({ tgid, comm }) => `${comm} (${tgid})`);
  const more = processes.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
