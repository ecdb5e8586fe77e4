// SPDX-License-Identifier: Apache-2.0
// What the resident memory of a process consists of, by its mappings (/proc/PID/smaps).

export interface MappedPart {
  readonly name: string;
  readonly megabytes: number;
}

/** Parts smaller than this are told as one. */
const PART_MB_MIN = 8;
/** V8 keeps its heap in chunks of this size; small anonymous mappings are mostly those. */
const CHUNK_BYTES_MAX = 1 << 20;

/** Largest first. A large anonymous mapping is named by the size of its address range. */
export function partsOf(smaps: string): MappedPart[] {
  const bytes = new Map<string, number>();
  let name = "";
  for (const line of smaps.split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/.exec(line);
    if (range !== null) {
      const [, from = "0", to = "0", file = ""] = range;
      name = nameOf(file, Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)));
    }
    const resident = /^Rss: +(\d+) kB/.exec(line)?.[1];
    if (resident !== undefined) bytes.set(name, (bytes.get(name) ?? 0) + Number(resident) * 1_024);
  }
  const parts = [...bytes].map(([name, size]) => ({ name, megabytes: size / 1e6 }));
  const large = parts.filter(({ megabytes }) => megabytes >= PART_MB_MIN);
  const rest = parts.filter(({ megabytes }) => megabytes < PART_MB_MIN)
    .reduce((sum, { megabytes }) => sum + megabytes, 0);
  return [...large.sort((a, b) => b.megabytes - a.megabytes), { name: "rest", megabytes: rest }];
}

function nameOf(file: string, size: number): string {
  if (file !== "") return file.slice(file.lastIndexOf("/") + 1);
  if (size <= CHUNK_BYTES_MAX) return "anonymous, up to 1 MiB each";
  return `anonymous, ${(size / 1e6).toFixed(0)} MB`;
}
