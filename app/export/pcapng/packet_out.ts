// SPDX-License-Identifier: Apache-2.0
// Packets with their origin, as blocks of a pcapng file: one interface per program, a comment that
// names process and thread.

import type { SocketEvent } from "../../../model/capture_record.ts";
import type { Connection } from "../../../model/connection.ts";
import type { Program } from "../../../model/process.ts";
import type { Nanos } from "../../../model/time.ts";
import { interfaceBlock, packetBlock } from "./pcapng_blocks.ts";
import type { TimeOrder } from "./time_order.ts";

export interface MadePacket {
  readonly emitNs: Nanos;
  readonly bytes: Uint8Array;
  readonly wireBytes: number;
  /** The socket that it is told of received it. */
  readonly inbound: boolean;
  readonly socket: Connection | null;
  /** Null where nobody is known to have used the socket. */
  readonly program: Program | null;
  /** The call that moved it; absent for packets that no call stands for. */
  readonly event?: SocketEvent;
  readonly comment?: string;
}

export interface PacketOut {
  packet(packet: MadePacket): void;
  readonly packets: number;
  readonly clipped: number;
  readonly interfaces: number;
}

export interface PacketOutOptions {
  /** Writes a block at once. */
  readonly write: (block: Uint8Array) => void;
  readonly order: TimeOrder;
  readonly unixNs: (bootNs: Nanos) => Nanos;
  /** Unix time; packets outside are left out. */
  readonly sinceNs?: Nanos;
  readonly untilNs?: Nanos;
}

/** Programs with an interface of their own; later ones share the last. */
const INTERFACES_MAX = 32_768;

export function packetOut(options: PacketOutOptions): PacketOut {
  const { write, order, unixNs, sinceNs, untilNs } = options;
  const interfaces = new Map<number, number>();
  let packets = 0, clipped = 0;

  function interfaceOf(program: Program | null): number {
    const key = program?.program ?? 0;
    const known = interfaces.get(key);
    if (known !== undefined) return known;
    if (interfaces.size >= INTERFACES_MAX) return INTERFACES_MAX - 1;
    const id = interfaces.size;
    interfaces.set(key, id);
    const isLast = id === INTERFACES_MAX - 1;
    write(interfaceBlock(...(isLast ? ["other programs", ""] as const : labelOf(program))));
    return id;
  }

  return {
    packet({ emitNs, bytes, wireBytes, inbound, socket, program, event, comment }) {
      const timeNs = unixNs(emitNs);
      if (sinceNs !== undefined && timeNs < sinceNs) return;
      if (untilNs !== undefined && timeNs >= untilNs) return;
      const interfaceId = interfaceOf(program);
      packets++;
      if (bytes.length < wireBytes) clipped++;
      const text = comment ?? commentOf(program, event, socket);
      const block = { interfaceId, timeNs, bytes, wireBytes, inbound, comment: text };
      order.add(timeNs, packetBlock(block));
    },
    get packets() {
      return packets;
    },
    get clipped() {
      return clipped;
    },
    get interfaces() {
      return interfaces.size;
    },
  };
}

function labelOf(program: Program | null): readonly [name: string, description: string] {
  if (program === null || program.tgid === 0) return ["unknown program", ""];
  const { comm, tgid, exe, cgroup } = program;
  return [`${comm} ${tgid}`, [exe, cgroup].filter((part) => part !== "").join(", ")];
}

/** `nginx pid 71 tid 74 wrote 512 bytes, 256 kept`. */
function commentOf(
  program: Program | null,
  event: SocketEvent | undefined,
  socket: Connection | null,
): string {
  const who = program === null || program.tgid === 0 ? "" : `${program.comm} pid ${program.tgid}`;
  const path = socket?.transport === "unix" ? ` on unix socket ${pathOf(socket)}` : "";
  if (event === undefined) return `${who}${path}`.trim();
  const { tid, direction, length, payload, via } = event;
  const verb = direction === "egress" ? "wrote" : "read";
  const how = via === "call" || via === "packet" ? "" : ` by ${via}`;
  const kept = payload.length < length ? `, ${payload.length} kept` : "";
  return `${who} tid ${tid} ${verb} ${length} bytes${how}${kept}${path}`.trim();
}

/** The end that has a name; a pair of sockets may have none. */
export function pathOf({ local, peer }: Connection): string {
  return local.ip || peer.ip || "without a name";
}
