// SPDX-License-Identifier: Apache-2.0
// Who descends from whom, by the forks that the stream tells of.

import type { ProcessFact } from "../../model/capture_record.ts";

/** Processes remembered; the oldest are forgotten beyond. */
const PROCESSES_MAX = 65_536;

export class ProcessTree {
  readonly #root: number;
  readonly #parents = new Map<number, number>();

  constructor(rootPid: number) {
    this.#root = rootPid;
  }

  add({ program }: ProcessFact): void {
    if (program.tgid === this.#root || this.#parents.has(program.tgid)) return;
    this.#parents.set(program.tgid, program.parentTgid);
    if (this.#parents.size <= PROCESSES_MAX) return;
    for (const [oldest] of this.#parents) {
      this.#parents.delete(oldest);
      return;
    }
  }

  /** The root itself or a descendant, dead or alive. */
  has(pid: number): boolean {
    const seen = new Set<number>();
    for (let at: number | undefined = pid; at !== undefined && !seen.has(at);) {
      if (at === this.#root) return true;
      seen.add(at);
      at = this.#parents.get(at);
    }
    return false;
  }
}
