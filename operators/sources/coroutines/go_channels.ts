// SPDX-License-Identifier: Apache-2.0
// Where the runtime of a Go program passes elements through channels: the calls, made while it
// holds the lock of the channel, that put one into the buffer, take one out, hand one to a
// goroutine that waits or get one from it; see bpf/go_channel.bpf.h. The same from Go 1.15 on.

import type { GoProbe } from "../../../ffi/go_probes.ts";
import type { ElfFile } from "./elf_file.ts";
import { callsOf, type GoFunction } from "./go_functions.ts";

export interface GoChannels {
  /** Code of the runtime through which a goroutine waits at a channel, by address as linked. */
  readonly from: number;
  readonly to: number;
  /** Where kernel programs are attached, by file offset. */
  readonly probes: readonly { readonly program: GoProbe; readonly at: number }[];
}

const CALLS: readonly (readonly [caller: string, callee: string, program: GoProbe])[] = [
  ["runtime.chansend", "runtime.typedmemmove", "go_put"],
  ["runtime.chansend", "runtime.send", "go_hands"],
  ["runtime.chanrecv", "runtime.typedmemclr", "go_take"],
  ["runtime.chanrecv", "runtime.recv", "go_gets"],
  ["runtime.selectgo", "runtime.typedmemmove", "go_put"],
  ["runtime.selectgo", "runtime.send", "go_hands"],
  ["runtime.selectgo", "runtime.typedmemclr", "go_take"],
  ["runtime.selectgo", "runtime.recv", "go_gets"],
];

/** Beginnings of the names of the functions that are looked for. */
export const CHANNEL_FUNCTIONS = [
  "runtime.chan",
  "runtime.select",
  "runtime.gopark",
  "runtime.send",
  "runtime.recv",
  "runtime.typedmem",
] as const;

/** Null where one of the calls is missing: who misses one in ten hand-overs tells wrong ones. */
export function findChannels(elf: ElfFile, functions: readonly GoFunction[]): GoChannels | null {
  const named = (wanted: string) => functions.find(({ name }) => name === wanted);
  const probes: { program: GoProbe; at: number }[] = [];
  for (const [callerName, calleeName, program] of CALLS) {
    const caller = named(callerName), callee = named(calleeName);
    const calls = caller === undefined || callee === undefined ? [] : callsOf(elf, caller, callee);
    if (calls.length === 0) return null;
    for (const address of calls) {
      const at = elf.fileOffset(address);
      if (at < 0) return null;
      probes.push({ program, at });
    }
  }
  // Functions of one package lie side by side.
  const waiting = functions.filter(({ name }) => WAITS.some((prefix) => name.startsWith(prefix)));
  return {
    from: Math.min(...waiting.map(({ entry }) => entry)),
    to: Math.max(...waiting.map(({ end }) => end)),
    probes,
  };
}

const WAITS = ["runtime.chan", "runtime.select", "runtime.gopark"] as const;
