// SPDX-License-Identifier: Apache-2.0
// Each reader on its own fixture, whose every case is a new connection: setting one up counts.

import { PROTOCOLS } from "../../../operators/protocols/registry.gen.ts";
import type { AnyProtocol, Registry } from "../../../operators/wire/registry.ts";
import type { Talk } from "../../fuzz/corpus.ts";
import { passBytes, passNs } from "./cost.ts";
import { bytesOf, type Load, loadOf, reader } from "./load.ts";

export interface ReaderRow {
  readonly name: string;
  readonly nsPerMessage: number;
  readonly bytesPerMessage: number;
  readonly allocatedPerMessage: number;
  /** Mean of its connections. */
  readonly probeNs: number;
}

export function readerRows(talks: readonly Talk[], registry: Registry): ReaderRow[] {
  return PROTOCOLS.flatMap((protocol) => {
    const loads = talks.filter((talk) => talk.protocol === protocol.name).map(loadOf);
    const row = measure(protocol, loads, registry);
    return row === null ? [] : [row];
  });
}

function measure(
  protocol: AnyProtocol,
  loads: readonly Load[],
  registry: Registry,
): ReaderRow | null {
  const pass = reader(protocol, loads);
  const messages = pass();
  if (messages === 0) return null;
  return {
    name: protocol.name,
    nsPerMessage: passNs(pass) / messages,
    bytesPerMessage: bytesOf(loads) / messages,
    allocatedPerMessage: passBytes(pass) / messages,
    probeNs: passNs(() => ask(loads, registry)) / loads.length,
  };
}

/** The first bytes of each connection, to all probes. */
function ask(loads: readonly Load[], registry: Registry): void {
  for (const { talk, runs } of loads) {
    const [first] = runs;
    if (first !== undefined) registry.ask(talk.transport, first.bytes, first.length);
  }
}

export function formatReaders(rows: readonly ReaderRow[]): string {
  const sorted = [...rows].sort((a, b) => a.nsPerMessage - b.nsPerMessage);
  const column = (n: number, width: number) => n.toFixed(0).padStart(width);
  return [
    "  protocol      messages/s   ns/message  bytes/message  allocated/message  ns to ask all probes",
    ...sorted.map((row) =>
      [
        `  ${row.name.padEnd(12)}`,
        `${Math.round(1e6 / row.nsPerMessage)} k`.padStart(11),
        column(row.nsPerMessage, 12),
        column(row.bytesPerMessage, 14),
        column(row.allocatedPerMessage, 18),
        column(row.probeNs, 21),
      ].join(" ")
    ),
  ].join("\n");
}
