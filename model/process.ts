// SPDX-License-Identifier: Apache-2.0
// A program: one execution image of one process, shared by all records that it causes.

import type { Nanos } from "./time.ts";

/**
 * One program run, interned by the source: the same process after exec is another Program.
 * Facts that arrive later (command line, container) are filled in; identity never changes.
 */
export interface Program {
  /** Dense index given by the source. 0 is "no process" (packets of a capture file). */
  readonly program: number;
  readonly tgid: number;
  /** Start of the group leader, boot time ns: with tgid and execCount the identity. */
  readonly startNs: Nanos;
  readonly execCount: number;
  comm: string;
  /** Path given to exec, or /proc/PID/exe for older processes; "" when unknown. */
  exe: string;
  /** Arguments, possibly cut at the kernel's limit. */
  argv: readonly string[];
  parentTgid: number;
  cgroupId: bigint;
  /** Path of the cgroup, from which the container id is read; "" when unknown. */
  cgroup: string;
  /** Process id inside its own pid namespace. */
  innerPid: number;
  pidns: number;
  netns: number;
  mntns: number;
}

export const NO_PROGRAM: Program = {
  program: 0,
  tgid: 0,
  startNs: 0n,
  execCount: 0,
  comm: "",
  exe: "",
  argv: [],
  parentTgid: 0,
  cgroupId: 0n,
  cgroup: "",
  innerPid: 0,
  pidns: 0,
  netns: 0,
  mntns: 0,
};
