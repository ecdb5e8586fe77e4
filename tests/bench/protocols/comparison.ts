// SPDX-License-Identifier: Apache-2.0
// npm libraries and our readers over the same bytes: those that both read from end to end.

import { Buffer } from "node:buffer";
import { PROTOCOLS } from "../../../operators/protocols/registry.gen.ts";
import type { AnyProtocol } from "../../../operators/wire/registry.ts";
import type { Talk } from "../../fuzz/corpus.ts";
import { passNs } from "./cost.ts";
import { hpackBlocks, passBlocks } from "./hpack_stories.ts";
import { LIBRARIES, type Library, openHpack } from "./libraries.ts";
import { bytesOf, type Load, loadOf, reader } from "./load.ts";

export interface ComparisonRow {
  readonly library: string;
  readonly protocol: string;
  readonly bytes: number;
  readonly libraryNs: number;
  readonly ourNs: number;
}

export function compareLibraries(talks: readonly Talk[]): ComparisonRow[] {
  const rows = LIBRARIES.flatMap((library) => {
    const protocol = PROTOCOLS.find(({ name }) => name === library.protocol);
    return protocol === undefined ? [] : [compare(library, protocol, talks)];
  });
  return [...rows, compareHpack()];
}

function compare(library: Library, protocol: AnyProtocol, talks: readonly Talk[]): ComparisonRow {
  const loads = talks.filter((talk) => talk.protocol === library.protocol)
    .map((talk) => loadOf(halfOf(talk, library.reads)))
    .filter((load) => reads(library, load));
  const calls = loads.map(({ talk }) => callsOf(talk));
  return {
    library: library.name,
    protocol: library.protocol,
    bytes: bytesOf(loads),
    libraryNs: passNs(() => passCalls(library, calls)),
    ourNs: passNs(reader(protocol, loads)),
  };
}

/** The talk without what the library is not made to read. */
function halfOf(talk: Talk, half: Library["reads"]): Talk {
  const steps = talk.steps.filter((step) =>
    step.kind === "call" && (half === "both" || step.up === (half === "up"))
  );
  return { ...talk, steps };
}

interface Call {
  readonly bytes: Buffer;
  readonly up: boolean;
}

const callsOf = ({ steps }: Talk): Call[] =>
  steps.flatMap((step) =>
    step.kind === "call" ? [{ bytes: Buffer.from(step.bytes), up: step.up }] : []
  );

function passCalls(library: Library, talks: readonly (readonly Call[])[]): void {
  for (const calls of talks) {
    const take = library.open();
    for (const { bytes, up } of calls) take(bytes, up);
  }
}

/** Whether all of it was captured and the library takes it without an error. */
function reads(library: Library, { talk, runs }: Load): boolean {
  if (runs.length === 0 || runs.some(({ bytes, length }) => bytes.length < length)) return false;
  try {
    passCalls(library, [callsOf(talk)]);
    return true;
  } catch {
    return false;
  }
}

function compareHpack(): ComparisonRow {
  const stories = hpackBlocks();
  const buffers = stories.map((blocks) => blocks.map((block) => Buffer.from(block)));
  const libraryNs = passNs(() => {
    for (const blocks of buffers) {
      const take = openHpack();
      for (const block of blocks) take(block);
    }
  });
  return {
    library: "hpack.js",
    protocol: "http2",
    bytes: stories.flat().reduce((sum, block) => sum + block.length, 0),
    libraryNs,
    ourNs: passNs(() => passBlocks(stories)),
  };
}

export function formatComparison(rows: readonly ComparisonRow[]): string {
  return [
    "  npm library     protocol     bytes   its MB/s   our MB/s   ours is",
    ...rows.map(({ library, protocol, bytes, libraryNs, ourNs }) =>
      [
        `  ${library.padEnd(15)}`,
        protocol.padEnd(10),
        `${bytes}`.padStart(7),
        (bytes / libraryNs * 1e3).toFixed(0).padStart(10),
        (bytes / ourNs * 1e3).toFixed(0).padStart(10),
        `${(libraryNs / ourNs).toFixed(1)} × as fast`.padStart(16),
      ].join(" ")
    ),
  ].join("\n");
}
