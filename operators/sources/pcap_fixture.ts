// SPDX-License-Identifier: Apache-2.0
// A small HTTP exchange as packets, and what it leads to.

import type { CaptureRecord } from "../../model/capture_record.ts";
import { formatAddress } from "../../model/connection.ts";
import {
  type Bytes,
  ethernet,
  type FilePacket,
  ipv4,
  tcp,
  type TcpParts,
  text,
} from "./packets/packet_fixture.ts";
import { pcapFrom } from "./pcap.ts";
import { collect, inputOf } from "./source_fixture.ts";

export const CLIENT = [10, 0, 0, 1], SERVER = [10, 0, 0, 2];
export const START_NS = 1_700_000_000_123_456_000n;

export const read = (file: Bytes, chunkBytes?: number, recordsMax?: number) =>
  collect(pcapFrom(() => inputOf(file, chunkBytes), "test", chunkBytes), recordsMax);

/** One line per record, as tests compare them. */
export function lines(records: readonly CaptureRecord[]): string[] {
  return records.flatMap((record) => {
    if (record.kind === "close") return [`${record.connection.conn} close ${record.reason}`];
    if (record.kind !== "data") return [];
    const { connection, direction, streamOffset, length, payload, eof } = record;
    const ends = `${formatAddress(connection.peer)}>${formatAddress(connection.local)}`;
    const what = eof ? "eof" : `${length}:${new TextDecoder().decode(payload)}`;
    return [`${connection.conn} ${ends} ${direction} @${streamOffset} ${what}`];
  });
}

export const at = (ms: number) => START_NS + BigInt(ms) * 1_000_000n;
export const toServer = (parts: Partial<TcpParts>, port = 40_000) =>
  ipv4({ from: CLIENT, to: SERVER, protocol: 6 }, tcp({ from: port, to: 80, ...parts }));
export const toClient = (parts: Partial<TcpParts>, port = 40_000) =>
  ipv4({ from: SERVER, to: CLIENT, protocol: 6 }, tcp({ from: 80, to: port, ...parts }));
export const framed = (...ips: Bytes[]): FilePacket[] =>
  ips.map((ip, i) => ({ timeNs: at(i), bytes: ethernet(0x0800, ip) }));

export const HTTP = framed(
  toServer({ seq: 0xfffffffe, flags: "S" }),
  toClient({ seq: 499, ack: 0xffffffff, flags: "SA" }),
  toServer({ seq: 0xffffffff, ack: 500, payload: text("GET / ") }),
  toServer({ seq: 5, ack: 500, payload: text("HTTP/1.1") }),
  toClient({ seq: 500, ack: 13, payload: text("HTTP/1.1 204") }),
  toClient({ seq: 512, ack: 13, flags: "FA" }),
  toServer({ seq: 13, ack: 513, flags: "FA" }),
  toClient({ seq: 513, ack: 14 }),
  toServer({ seq: 5, ack: 500, payload: text("HTTP/1.1") }),
);
export const ENDS = "10.0.0.1:40000>10.0.0.2:80";
export const HTTP_LINES = [
  `0 ${ENDS} ingress @0 6:GET / `,
  `0 ${ENDS} ingress @6 8:HTTP/1.1`,
  `0 ${ENDS} egress @0 12:HTTP/1.1 204`,
  `0 ${ENDS} egress @12 eof`,
  `0 ${ENDS} ingress @14 eof`,
  "0 close close",
];
