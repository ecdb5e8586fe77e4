// SPDX-License-Identifier: Apache-2.0
// All that has to be known of a Go program to tell, at each of its system calls, on behalf of which
// goroutine it is made.

import type { GoProbe } from "../../../ffi/go_probes.ts";
import { CHANNEL_FUNCTIONS, findChannels, type GoChannels } from "./go_channels.ts";
import { type ByteSource, type ElfFile, readElf, SEGMENT } from "./elf_file.ts";
import { type GoVersion, goVersionOf } from "./go_build_info.ts";
import { afterCall, findFunctions, type GoFunction, SPAWN } from "./go_functions.ts";
import { STREAM_PROBES, streamProbes } from "./go_stream_functions.ts";
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
  /** Where kernel programs are attached, by file offset. */
  readonly probes: readonly { readonly program: GoProbe; readonly at: number }[];
  /** What is probed as well where goroutines work for others; null: that cannot be followed. */
  readonly channels: GoChannels | null;
  /** Where it is told who starts a goroutine and when, where reading tells a part of that. */
  readonly births: GoProgram["probes"];
  /** What cannot be told of it, for people; empty where all is well. */
  readonly gaps: readonly string[];
}

export type Inspected = GoProgram | { readonly kind: "unreadable"; readonly reason: string } | {
  readonly kind: "other";
};

/**
 * Functions of net and net/http between which work changes goroutines, and what each tells:
 *
 * | function                     | found by         | tells                                      |
 * | ---------------------------- | ---------------- | ------------------------------------------ |
 * | (*connReader).backgroundRead | g.startpc        | reads for the goroutine that started it    |
 * | (*persistConn).writeLoop     | g.startpc, stack | writes for whoever called its connection   |
 * | (*persistConn).readLoop      | g.startpc, stack | reads for whoever called its connection    |
 * | (*persistConn).roundTrip     | uprobe, receiver | who calls which connection                 |
 * | (*Transport).dialConnFor     | uprobe           | who started a goroutine that only dials    |
 * | singleflight.(*Group).doCall | uprobe           | who started one that only looks up a name  |
 * | runtime.newproc1, its return | uprobe, result   | who starts which goroutine, before Go 1.21 |
 */
const PROBES = {
  background: "net/http.(*connReader).backgroundRead",
  startsBackground: "net/http.(*connReader).startBackgroundRead.",
  writeLoop: "net/http.(*persistConn).writeLoop",
  readLoop: "net/http.(*persistConn).readLoop",
  startsLoops: "net/http.(*Transport).dialConn.",
  roundTrip: "net/http.(*persistConn).roundTrip",
  dials: "net/http.(*Transport).dialConnFor",
  looksUp: "internal/singleflight.(*Group).doCall",
} as const;

/** Beginnings of the names of all functions that are looked for. */
const WANTED = [
  SPAWN.callee,
  SPAWN.caller,
  ...Object.values(PROBES),
  ...STREAM_PROBES.map(([, name]) => name),
  ...CHANNEL_FUNCTIONS,
];

/** Without these a program has no sockets: compilers come by the hundred. */
const CONNECTS = ["syscall.connect", "syscall.Listen", "golang.org/x/sys/unix.Connect"];

/** Looks at a program file. */
export function inspectProgram(source: ByteSource): Inspected {
  const elf = readElf(source);
  const version = elf === null ? null : goVersionOf(elf);
  if (elf === null || version === null) return { kind: "other" };
  const layout = goLayoutOf(elf, version);
  if (typeof layout === "string") return { kind: "unreadable", reason: layout };
  const functions = findFunctions(elf, [...WANTED, ...CONNECTS]);
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
    return { ...program, roles: [], probes: [], channels: null, births: [], gaps };
  }
  if (!functions.some(({ name }) => CONNECTS.some((prefix) => name.startsWith(prefix)))) {
    return { ...program, roles: [], probes: [], channels: null, births: [], gaps };
  }
  const roles = rolesOf(elf, functions);
  const probes = probesOf(elf, functions, version, roles, layout);
  if (layout.parentAt === 0 && !probes.some(({ program }) => program === "go_spawned")) {
    gaps.push("who starts a goroutine cannot be told: runtime.newproc1 is not called as usual");
  }
  const births = layout.parentAt === 0 ? [] : birthsOf(elf, functions);
  return { ...program, roles, probes, channels: findChannels(elf, functions), births, gaps };
}

function probesOf(
  elf: ElfFile,
  functions: readonly GoFunction[],
  { minor }: GoVersion,
  roles: readonly GoRole[],
  { parentAt }: GoLayout,
): GoProgram["probes"] {
  const named = (wanted: string) => functions.find(({ name }) => name === wanted);
  const hasLoops = roles.some(({ role }) => role === "caller");
  const canRead = parentAt !== 0;
  const places: readonly (readonly [GoProbe, number | undefined | null])[] = [
    ["go_called", hasLoops ? named(PROBES.roundTrip)?.entry : null],
    ["go_passed", canRead ? named(PROBES.dials)?.entry : null],
    ["go_passed", canRead ? named(PROBES.looksUp)?.entry : null],
    ["go_spawned", canRead ? null : afterSpawn(elf, functions)],
    ...streamProbes(minor).map(([program, name]) => [program, named(name)?.entry] as const),
  ];
  return places.flatMap(([program, address]) => {
    const at = address === undefined || address === null ? -1 : elf.fileOffset(address);
    return at < 0 ? [] : [{ program, at }];
  });
}

function birthsOf(elf: ElfFile, functions: readonly GoFunction[]): GoProgram["probes"] {
  const address = afterSpawn(elf, functions);
  const at = address === null ? -1 : elf.fileOffset(address);
  return at < 0 ? [] : [{ program: "go_spawned", at }];
}

function afterSpawn(elf: ElfFile, functions: readonly GoFunction[]): number | null {
  const caller = functions.find(({ name }) => name === SPAWN.caller);
  const callee = functions.find(({ name }) => name === SPAWN.callee);
  return caller === undefined || callee === undefined ? null : afterCall(elf, caller, callee);
}

function firstAddress({ segments }: ElfFile): number {
  const first = segments.find(({ type }) => type === SEGMENT.load);
  return first === undefined ? 0 : first.address - first.at;
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
