// SPDX-License-Identifier: Apache-2.0
// What the kernel side must know of Node programs in which a script says for whom they write.

import type { BpfObject } from "../bpf_object.ts";
import { PROCESS_SEED } from "../hooks.ts";
import { readUsr1Handlers } from "../process_list.ts";

export interface NodePrograms {
  /** `cell` is where the script says it. The kernel forgets a process that exits or execs. */
  add(tgid: number, cell: number): void;
  remove(tgid: number): void;
  /** Where a process handles SIGUSR1; 0: nowhere, so that it would end, 1: it ignores it. */
  usr1Handler(tgid: number): number;
}

/** `changed` makes the kernel side look at its threads again. */
export function nodePrograms(object: BpfObject, changed: () => void): NodePrograms {
  const programs = object.map("node_programs");
  return {
    add(tgid, cell) {
      programs.update(new Uint32Array([tgid]), new BigUint64Array([BigInt(cell)]));
      changed();
    },
    remove(tgid) {
      programs.delete(new Uint32Array([tgid]));
      changed();
    },
    usr1Handler: (tgid) => readUsr1Handlers(object.runIterator(PROCESS_SEED)).get(tgid) ?? 0,
  };
}
