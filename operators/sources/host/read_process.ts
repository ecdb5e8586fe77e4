// SPDX-License-Identifier: Apache-2.0
// A process as /proc shows it: for those of which no record told, because one was lost.

import type { HostFiles } from "../../../ffi/host_files.ts";
import { readCgroup } from "../../../ffi/process_list.ts";
import { type SeenFact, TICK_NS } from "../records/host_fact.ts";

/** Arguments kept, as many bytes as the kernel programs keep. */
const ARGS_CHARS_MAX = 512;

/** Fields of /proc/PID/stat, counted from the one after the name. */
const STAT = { parent: 1, startTicks: 19 } as const;

/** Null when there is no such process (any more). */
export function readProcess(files: HostFiles, tgid: number): SeenFact | null {
  const folder = `/proc/${tgid}`;
  const stat = files.text(`${folder}/stat`);
  if (stat === undefined) return null;
  // The name stands in parentheses and may hold any character.
  const nameEnd = stat.lastIndexOf(")");
  const fields = stat.slice(nameEnd + 2).split(" ");
  const words = (files.text(`${folder}/cmdline`) ?? "").slice(0, ARGS_CHARS_MAX).split("\0");
  if (words.at(-1) === "") words.pop();
  return {
    fact: "seen",
    tgid,
    startNs: `${BigInt(fields[STAT.startTicks] ?? 0) * TICK_NS}`,
    execCount: -1,
    cgroupId: "0",
    comm: stat.slice(stat.indexOf("(") + 1, nameEnd),
    exe: files.link(`${folder}/exe`) ?? "",
    argv: words,
    parentTgid: Number(fields[STAT.parent] ?? 0),
    cgroup: readCgroup(files, tgid),
    innerPid: innermostPid(files, tgid),
    pidns: namespace(files, tgid, "pid"),
    netns: namespace(files, tgid, "net"),
    mntns: namespace(files, tgid, "mnt"),
  };
}

/** The last number of NSpid is the id in the innermost namespace. */
function innermostPid(files: HostFiles, tgid: number): number {
  const line = /^NSpid:(.*)$/m.exec(files.text(`/proc/${tgid}/status`) ?? "")?.[1];
  return Number(line?.trim().split(/\s+/).at(-1) ?? tgid);
}

/** Inode number out of a link such as net:[4026531840]. */
function namespace(files: HostFiles, tgid: number, kind: "pid" | "net" | "mnt"): number {
  return Number(/\[(\d+)\]/.exec(files.link(`/proc/${tgid}/ns/${kind}`) ?? "")?.[1] ?? 0);
}
