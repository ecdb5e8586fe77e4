// SPDX-License-Identifier: Apache-2.0
// A breakpoint in each library of uvloop that some process has loaded: at an addition to a set, by
// which uvloop keeps in mind that a connection has something to send.

import type { PythonPrograms } from "../../../../ffi/runtimes/python_programs.ts";
import { readElf } from "../elf_file.ts";
import type { ProcessFiles } from "./python_runtime.ts";
import { findQueueing, uvloopIn } from "./uvloop_file.ts";

export type UvloopFound =
  /** The process has not loaded it. */
  | { readonly kind: "none" }
  | { readonly kind: "probed" }
  | { readonly kind: "gap"; readonly reason: string };

/** Files that are probed at one time, or cannot be. */
const FILES_MAX = 64;

const gap = (why: string) =>
  ({ kind: "gap", reason: `what uvloop sends for its tasks is not told: ${why}` }) as const;

/** To be asked about one process after the other; each file is probed once. */
export function uvloopProbes(
  { text, open, programs }: ProcessFiles & { readonly programs: PythonPrograms },
): (tgid: number) => UvloopFound {
  const files = new Map<string, UvloopFound>();
  return (tgid) => {
    const loaded = uvloopIn(text(`/proc/${tgid}/maps`) ?? "");
    if (loaded === null) return { kind: "none" };
    const path = `/proc/${tgid}/root${loaded}`;
    using file = open(path);
    if (file === undefined) return { kind: "none" };
    const known = files.get(file.identity);
    if (known !== undefined) return known;
    if (files.size >= FILES_MAX) return gap(`${FILES_MAX} files of it are probed already`);
    const elf = readElf(file);
    const at = elf === null ? null : findQueueing(elf);
    const found = at === null ? gap("its library is not built as expected") : probe(path, at);
    files.set(file.identity, found);
    return found;
  };

  function probe(path: string, at: number): UvloopFound {
    if (programs.whyNot !== null) return gap(programs.whyNot);
    try {
      programs.attach(path, at);
      return { kind: "probed" };
    } catch (error) {
      return gap(error instanceof Error ? error.message : String(error));
    }
  }
}
