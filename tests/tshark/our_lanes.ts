// SPDX-License-Identifier: Apache-2.0
// What `decode --pcap` makes of the same capture, by protocol, connection and way.

import { decodeStreams } from "../../app/decode/decode.ts";
import type { DecodeLine } from "../../app/decode/decode_line.ts";
import { OpenLines } from "../../app/decode/open_lines.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { createRegistry } from "../../operators/wire/registry.ts";
import { unmasked } from "../../operators/wire/unmasked.ts";
import { laneOf, type Lanes, type ServerEnds } from "./dissect.ts";

/** Whose bytes they are has to be found out as in any capture. */
export async function ourLanes(path: string): Promise<Map<string, Lanes<DecodeLine>>> {
  const protocols = new Map<string, Lanes<DecodeLine>>();
  const lines = new OpenLines((line) => {
    const lanes: Lanes<DecodeLine> = protocols.get(line.protocol) ?? new Map();
    protocols.set(line.protocol, lanes);
    const lane = laneOf(line.flow, line.direction === "to_server" ? "up" : "down");
    const known = lanes.get(lane) ?? [];
    known.push(line);
    lanes.set(lane, known);
  });
  await decodeStreams(path, createRegistry(PROTOCOLS.map(unmasked)), lines);
  lines.close();
  return protocols;
}

export function serversOf(lanes: Lanes<DecodeLine>): ServerEnds {
  const flows = [...lanes.keys()].map((lane) => lane.replace(/ (?:up|down)$/, ""));
  const ports = flows.map((flow) => Number(/:(\d+)$/.exec(flow)?.[1]));
  return { ports: new Set(ports), flows: new Set(flows) };
}
