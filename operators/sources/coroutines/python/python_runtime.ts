// SPDX-License-Identifier: Apache-2.0
// Which CPython a process runs, and where its state lies: the symbol _PyRuntime of the program
// itself, or of the library that it has loaded.

import type { HostFile } from "../../../../ffi/host_file.ts";
import { type ElfFile, readElf, SEGMENT } from "../elf_file.ts";

export interface PythonVersion {
  /** Of Python 3. */
  readonly minor: number;
  readonly isFreeThreaded: boolean;
}

export interface PythonRuntime {
  readonly version: PythonVersion;
  /** Address of _PyRuntime in the process. */
  readonly address: number;
}

export interface ProcessFiles {
  readonly text: (path: string) => string | undefined;
  readonly open: (path: string) => HostFile | undefined;
}

/** python3.11, libpython3.11.so.1.0, python3.13t */
const NAME = /\/(?:lib)?python3\.(\d+)(t?)(?:[dm]?$|m?\.so)/;

/** Programs that are, or embed, an interpreter; of others nothing is looked at. */
const PROGRAM = /(?:^|\/)[^/]*(?:python|uwsgi)[^/]*$/;

export const mayBePython = (exe: string): boolean => PROGRAM.test(exe);

/** Addresses of _PyRuntime as linked, by file: a file is read once. */
export type KnownRuntimes = Map<string, number | null>;

const KNOWN_MAX = 256;

/** Null while no interpreter is loaded, and where its symbol is not found. */
export function findRuntime(
  tgid: number,
  { text, open }: ProcessFiles,
  known: KnownRuntimes,
): PythonRuntime | null {
  const looked = new Set<string>();
  for (const line of (text(`/proc/${tgid}/maps`) ?? "").split("\n")) {
    // 7f0c5a200000-7f0c5a26a000 r--p 00000000 fd:00 1234    /usr/lib/libpython3.11.so.1.0
    const [, start = "", path = ""] = /^([0-9a-f]+)-\S+ \S+ 0+ \S+ \d+\s+(\/.*)$/.exec(line) ?? [];
    const [, minor, free] = NAME.exec(path) ?? [];
    if (minor === undefined || looked.has(path)) continue;
    looked.add(path);
    using file = open(`/proc/${tgid}/root${path}`);
    if (file === undefined) continue;
    const inFile = runtimeIn(file, known);
    if (inFile === null) continue;
    const version = { minor: Number(minor), isFreeThreaded: free === "t" };
    return { version, address: Number.parseInt(start, 16) + inFile };
  }
  return null;
}

/** From where the file is loaded. */
function runtimeIn(file: HostFile, known: KnownRuntimes): number | null {
  const before = known.get(file.identity);
  if (before !== undefined) return before;
  const elf = readElf(file);
  const address = elf?.isAmd64 ? elf.symbol("_PyRuntime") : null;
  const found = elf === null || address === null ? null : address - firstAddress(elf);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(file.identity, found);
  return found;
}

function firstAddress({ segments }: ElfFile): number {
  const first = segments.find(({ type }) => type === SEGMENT.load);
  return first === undefined ? 0 : first.address - first.at;
}
