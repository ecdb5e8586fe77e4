// SPDX-License-Identifier: Apache-2.0
// What `decode --per-packet --protocol NAME` makes of a capture.

import type { DecodeLine } from "../../app/decode/decode_line.ts";
import { OpenLines } from "../../app/decode/open_lines.ts";
import { PacketDecoder } from "../../app/decode/per_packet.ts";
import { pcap } from "../../operators/sources/pcap.ts";
import type { AnyProtocol, Registry } from "../../operators/wire/registry.ts";

export async function ourLines(
  path: string,
  registry: Registry,
  named: readonly AnyProtocol[],
): Promise<DecodeLine[]> {
  const lines: DecodeLine[] = [];
  const open = new OpenLines((line) => lines.push(line));
  const decoder = new PacketDecoder(registry, named, open);
  const source = pcap(path).open({
    emit(record) {
      if (record.kind === "data") decoder.take(record);
    },
    side() {},
    drop() {},
    advance() {},
  });
  try {
    const { signal } = new AbortController();
    while (!source.done()) {
      if (source.pull(1_000) === 0 && !source.done()) await source.wait(signal);
    }
  } finally {
    source[Symbol.dispose]();
  }
  decoder.close();
  open.close();
  return lines;
}
