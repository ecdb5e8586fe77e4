// SPDX-License-Identifier: Apache-2.0
// What tshark makes of a capture: the messages of one protocol, by connection and way.

import { formatAddress } from "../../model/connection.ts";
import { type Node, readPdml, show } from "./pdml.ts";
import type { Draft, SharkConnection, SharkMessage, SharkReader, Way } from "./shark_message.ts";
import { stated } from "./shark_message.ts";

/** By lane: `client -> server`, and the way. */
export type Lanes<M> = Map<string, M[]>;

/** Ports of the servers, and flows of which it is known which end the server is. */
export interface ServerEnds {
  readonly ports: ReadonlySet<number>;
  /** `client -> server` */
  readonly flows: ReadonlySet<string>;
}

export const laneOf = (flow: string, way: Way): string => `${flow} ${way}`;

export async function dissect(
  path: string,
  reader: SharkReader,
  servers: ServerEnds,
): Promise<Lanes<SharkMessage>> {
  const decodeAs = [...servers.ports].flatMap((port) =>
    transserversOf(reader.protocol).flatMap((transport) =>
      reader.decodeAs.flatMap((name) => ["-d", `${transport}.port==${port},${name}`])
    )
  );
  const { stdout, stderr, success } = await new Deno.Command("tshark", {
    args: ["-r", path, "-n", "-T", "pdml", ...SETTINGS, ...decodeAs],
  }).output();
  const pdml = new TextDecoder().decode(stdout);
  // A file that is cut off is dissected up to there.
  if (!success && !pdml.includes("<packet>")) {
    throw new Error(`Cannot dissect ${path}: ${new TextDecoder().decode(stderr)}`);
  }
  return lanesOf(pdml, reader, servers);
}

/** tshark refuses what goes over the other one only. */
function transserversOf(protocol: string): readonly string[] {
  return TRANSPORTS[protocol] ?? ["tcp"];
}

const TRANSPORTS: Readonly<Record<string, readonly string[]>> = {
  dhcp: ["udp"],
  dns: ["tcp", "udp"],
  ntp: ["udp"],
  radius: ["udp"],
  sip: ["tcp", "udp"],
  snmp: ["udp"],
};

const SETTINGS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];

function lanesOf(
  pdml: string,
  reader: SharkReader,
  servers: ServerEnds,
): Lanes<SharkMessage> {
  const lanes: Lanes<SharkMessage> = new Map();
  const connections = new Map<string, SharkConnection>();
  let frame = 0;
  for (const packet of readPdml(pdml)) {
    frame++;
    const place = placeOf(packet, servers);
    if (place === null) continue;
    const { flow, way } = place;
    const emit = (draft: Draft): SharkMessage => {
      const message: SharkMessage = {
        way,
        frame,
        facts: stated({ ...draft.facts }),
        fields: stated({ ...draft.fields }) as SharkMessage["fields"],
      };
      const lane = laneOf(flow, way);
      const messages = lanes.get(lane) ?? [];
      messages.push(message);
      lanes.set(lane, messages);
      return message;
    };
    for (const part of packet) {
      if (!reader.parts.includes(part.name)) continue;
      const connection = connections.get(flow) ?? reader.open();
      connections.set(flow, connection);
      connection.take(part, way, emit);
    }
  }
  return lanes;
}

/** Null for packets of other connections. */
function placeOf(
  packet: readonly Node[],
  { ports, flows }: ServerEnds,
): { flow: string; way: Way } | null {
  const ip = packet.findLast(({ name }) => name === "ip" || name === "ipv6");
  const transport = packet.findLast(({ name }) => name === "tcp" || name === "udp");
  if (ip === undefined || transport === undefined) return null;
  const endOf = (side: "src" | "dst") => ({
    ip: show(ip, `${ip.name}.${side}`) ?? "",
    port: Number(show(transport, `${transport.name}.${side}port`) ?? 0),
  });
  const [from, to] = [endOf("src"), endOf("dst")];
  const there = `${formatAddress(from)} -> ${formatAddress(to)}`;
  const back = `${formatAddress(to)} -> ${formatAddress(from)}`;
  // Both ends may have the port of a server.
  const isUp = flows.has(there) || (ports.has(to.port) && !flows.has(back));
  if (!isUp && !ports.has(from.port)) return null;
  return { flow: isUp ? there : back, way: isUp ? "up" : "down" };
}
