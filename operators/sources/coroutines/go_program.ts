// SPDX-License-Identifier: Apache-2.0
// All that has to be known of a Go program to tell, at each of its system calls, on behalf of which
// goroutine it is made.

import { type ByteSource, type ElfFile, readElf, SEGMENT } from "./elf_file.ts";
import { goVersionOf } from "./go_build_info.ts";
import { afterCall, findFunctions, type GoFunction, SPAWN } from "./go_functions.ts";
import { type GoLayout, goLayoutOf, NEWEST_KNOWN } from "./go_layout.ts";

/** Goroutines that run such a function act for another one; see PROBES. */
export interface GoRole {
  /** Address of the function, as linked. */
  readonly entry: number;
  readonly role: "parent" | "caller";
}

export interface GoProgram {
  readonly kind: "go";
  readonly version: string;
  readonly layout: GoLayout;
  /** Where its file was linked to begin; null: it is loaded there, addresses are as linked. */
  readonly linkedAt: number | null;
  readonly roles: readonly GoRole[];
  /** File offset after the call that makes a goroutine; null: not needed, or not found. */
  readonly spawnedAt: number | null;
  /** File offset of the method by which an HTTP client hands its request over; null: has none. */
  readonly calledAt: number | null;
  /** What cannot be told of it, for people; empty where all is well. */
  readonly gaps: readonly string[];
}

export type Inspected = GoProgram | { readonly kind: "unreadable"; readonly reason: string } | {
  readonly kind: "other";
};

/**
 * Functions of net/http between which work changes goroutines, and what each tells:
 *
 * | function                     | found by         | tells                                      |
 * | ---------------------------- | ---------------- | ------------------------------------------ |
 * | (*connReader).backgroundRead | g.startpc        | reads for the goroutine that started it    |
 * | (*persistConn).writeLoop     | g.startpc, stack | writes for whoever called its connection   |
 * | (*persistConn).readLoop      | g.startpc, stack | reads for whoever called its connection    |
 * | (*persistConn).roundTrip     | uprobe, receiver | who calls which connection                 |
 * | runtime.newproc1, its return | uprobe, result   | who starts which goroutine, before Go 1.21 |
 */
const PROBES = {
  background: "net/http.(*connReader).backgroundRead",
  startsBackground: "net/http.(*connReader).startBackgroundRead.",
  writeLoop: "net/http.(*persistConn).writeLoop",
  readLoop: "net/http.(*persistConn).readLoop",
  startsLoops: "net/http.(*Transport).dialConn.",
  roundTrip: "net/http.(*persistConn).roundTrip",
} as const;

/** Looks at a program file. */
export function inspectProgram(source: ByteSource): Inspected {
  const elf = readElf(source);
  const version = elf === null ? null : goVersionOf(elf);
  if (elf === null || version === null) return { kind: "other" };
  const layout = goLayoutOf(elf, version);
  if (typeof layout === "string") return { kind: "unreadable", reason: layout };
  const functions = findFunctions(elf, [SPAWN.callee, SPAWN.caller, ...Object.values(PROBES)]);
  const isNewer = version.minor > NEWEST_KNOWN;
  const gaps = isNewer ? [`${version.text} is read as Go 1.${NEWEST_KNOWN}`] : [];
  const program = {
    kind: "go",
    version: version.text,
    layout,
    linkedAt: elf.isMovable ? firstAddress(elf) : null,
  } as const;
  if (typeof functions === "string") {
    gaps.push(`its HTTP clients cannot be followed: ${functions}`);
    if (layout.parentAt === 0) gaps.push("who starts a goroutine cannot be told");
    return { ...program, roles: [], spawnedAt: null, calledAt: null, gaps };
  }
  const byName = new Map(functions.map((each) => [each.name, each]));
  const spawnedAt = layout.parentAt === 0 ? findSpawned(elf, byName) : null;
  if (layout.parentAt === 0 && spawnedAt === null) {
    gaps.push("who starts a goroutine cannot be told: runtime.newproc1 is not called as usual");
  }
  const roles = rolesOf(elf, functions);
  const roundTrip = byName.get(PROBES.roundTrip);
  const hasLoops = roles.some(({ role }) => role === "caller");
  const calledAt = roundTrip !== undefined && hasLoops ? offsetOf(elf, roundTrip.entry) : null;
  return { ...program, roles, spawnedAt, calledAt, gaps };
}

function firstAddress({ segments }: ElfFile): number {
  const first = segments.find(({ type }) => type === SEGMENT.load);
  return first === undefined ? 0 : first.address - first.at;
}

function findSpawned(elf: ElfFile, byName: ReadonlyMap<string, GoFunction>): number | null {
  const caller = byName.get(SPAWN.caller), callee = byName.get(SPAWN.callee);
  if (caller === undefined || callee === undefined) return null;
  const after = afterCall(elf, caller, callee);
  return after === null ? null : offsetOf(elf, after);
}

function offsetOf(elf: ElfFile, address: number): number | null {
  const offset = elf.fileOffset(address);
  return offset < 0 ? null : offset;
}

/** The functions themselves, as older compilers start them, and the wrappers of newer ones. */
function rolesOf(elf: ElfFile, functions: readonly GoFunction[]): GoRole[] {
  const started = [
    { name: PROBES.background, by: PROBES.startsBackground, role: "parent" },
    { name: PROBES.writeLoop, by: PROBES.startsLoops, role: "caller" },
    { name: PROBES.readLoop, by: PROBES.startsLoops, role: "caller" },
  ] as const;
  return started.flatMap(({ name, by, role }) => {
    const target = functions.find((each) => each.name === name);
    if (target === undefined) return [];
    const wrappers = functions.filter((each) =>
      each.name.startsWith(by) && afterCall(elf, each, target) !== null
    );
    return [target, ...wrappers].map(({ entry }) => ({ entry, role }));
  });
}
