// SPDX-License-Identifier: Apache-2.0
// `decode`: every message in a capture file, one line each.

import { Flow } from "../../engine/flow.ts";
import { run } from "../../engine/run.ts";
import { discard, forEach } from "../../engine/sink.ts";
import { isSocketRecord } from "../../model/capture_record.ts";
import type { DecodeEvent, MessageSeen } from "../../model/message.ts";
import { decode as decodeOperator } from "../../operators/decode.ts";
import { infer } from "../../operators/infer.ts";
import { reassemble } from "../../operators/reassemble.ts";
import { pcap } from "../../operators/sources/pcap.ts";
import { type AnyProtocol, createRegistry, type Registry } from "../../operators/wire/registry.ts";
import { unmasked } from "../../operators/wire/unmasked.ts";
import type { DecodeFlags } from "../cli/commands/decode.ts";
import { type CliContext, Refusal } from "../cli/context.ts";
import { knownProtocols } from "../protocols/known_protocols.ts";
import { type DecodeLine, decodeLine, lineText } from "./decode_line.ts";
import { LineBuffer } from "./line_buffer.ts";
import { writeLineJson } from "./line_json.ts";
import { namedProtocols } from "./named_protocols.ts";
import { laneOf, OpenLines } from "./open_lines.ts";
import { PacketDecoder } from "./per_packet.ts";
import { Servers } from "./servers.ts";

export async function decode(this: CliContext, flags: DecodeFlags, file?: string): Promise<void> {
  const path = pathOf(flags.pcap, file);
  const known = await knownProtocols(flags);
  const all = createRegistry(flags.mask === true ? known : known.map(unmasked));
  const named = flags.protocol === undefined ? [] : protocolsOf(flags.protocol, all);
  const { stdout, stderr } = this.process;
  let count = 0;
  const buffer = new LineBuffer((bytes) => stdout.writeBytes(bytes));
  const lines = new OpenLines((line: DecodeLine) => {
    count++;
    if (flags.json === true) writeLineJson(line, buffer.lines);
    else buffer.lines.raw(`${lineText(line)}\n`);
    buffer.added();
  });
  const registry = named.length === 0 ? all : createRegistry(named);
  const drops = flags.perPacket === true
    ? await decodePackets(path, new PacketDecoder(all, named, lines))
    : await decodeStreams(path, registry, lines);
  lines.close();
  buffer.flush();
  if (count === 0) stderr.write(`No message of a known protocol in ${path}.\n`);
  for (const [reason, n] of drops) stderr.write(`${n} given up: ${reason}\n`);
}

function pathOf(pcap: string | undefined, file: string | undefined): string {
  if (pcap !== undefined && file !== undefined) {
    throw new Refusal(`Cannot decode ${file}: --pcap names another file; name one`);
  }
  const path = pcap ?? file;
  if (path === undefined) {
    throw new Refusal("Cannot decode: no capture file is named; try `decode traffic.pcap`");
  }
  return path;
}

function protocolsOf(name: string, registry: Registry): AnyProtocol[] {
  const named = namedProtocols(name, registry);
  if (named.length > 0) return named;
  const names = registry.protocols.map((each) => each.name).join(", ");
  throw new Refusal(`Cannot decode ${name}: it is none of ${names}`);
}

async function decodePackets(path: string, decoder: PacketDecoder): Promise<Map<string, number>> {
  const records = Flow.of(refusing(path)).filter(isSocketRecord);
  const running = run([records.into(forEach("packets", (record) => {
    if (record.kind === "data") decoder.take(record);
  }))]);
  await running.finished;
  decoder.close();
  return new Map();
}

/** A file that cannot be read is the user's affair: one sentence, exit code 2. */
function refusing(path: string) {
  const source = pcap(path);
  return {
    ...source,
    open: (out: Parameters<typeof source.open>[0]) => {
      try {
        return source.open(out);
      } catch (error) {
        throw new Refusal(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

export async function decodeStreams(
  path: string,
  registry: Registry,
  lines: OpenLines,
): Promise<Map<string, number>> {
  const claimed = Flow.of(refusing(path))
    .filter(isSocketRecord)
    .through(reassemble)
    .through(infer, { registry, unknownTcp: false });
  const servers = new Servers();
  const running = run([
    claimed.side.into(discard()),
    claimed.through(decodeOperator).into(
      forEach("lines", (event) => take(event, registry, servers, lines)),
    ),
  ]);
  await running.finished;
  const drops = new Map<string, number>();
  for (const node of running.meters().nodes) {
    for (const [reason, n] of Object.entries(node.drops)) {
      drops.set(reason, (drops.get(reason) ?? 0) + n);
    }
  }
  return drops;
}

function take(event: DecodeEvent, registry: Registry, servers: Servers, lines: OpenLines): void {
  if (event.kind === "stream_end") return servers.end(event);
  const lane = laneOf(event.connection.conn, event.direction === "ingress");
  if (event.kind === "message_end") lines.end(lane, event.id, event);
  else addSeen(event, lane, registry, servers, lines);
}

function addSeen(
  event: MessageSeen,
  lane: number,
  registry: Registry,
  servers: Servers,
  lines: OpenLines,
): void {
  const { message, direction, protocol, bytes, startNs } = event;
  const connection = servers.sided(event);
  const toServer = (direction === "ingress") === (connection === event.connection);
  const line = decodeLine(message, { connection, toServer, unixNs: startNs, protocol, bytes });
  const multiplexed = registry.byName(protocol)?.multiplexed === true;
  if (!multiplexed) lines.end(lane, null, {});
  lines.add(line, lane, multiplexed ? message.id : null, message.more);
}
