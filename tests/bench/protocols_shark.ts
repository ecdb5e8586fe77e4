// SPDX-License-Identifier: Apache-2.0
// The fixtures as one capture file, read by tshark and by ours: whole programs, started and ended.

import type { Talk } from "../fuzz/corpus.ts";
import { wireChain } from "../support/wire/wire_chain.ts";
import { pcap } from "../../operators/sources/pcap.ts";
import { isSocketRecord } from "../../model/capture_record.ts";

export interface SharkReport {
  readonly packets: number;
  readonly copies: number;
  readonly ourMs: number;
  readonly sharkMs: number;
}

const COPIES = 60;
const PAYLOAD_BYTES_MAX = 1_400;

/** null where tshark is not installed. */
export async function sharkBench(talks: readonly Talk[]): Promise<SharkReport | null> {
  const path = await Deno.makeTempFile({ prefix: "spandrel_bench_", suffix: ".pcap" });
  try {
    const packets = await writeCapture(path, talks);
    const sharkMs = await sharkTime(path);
    if (sharkMs === null) return null;
    await decodeTime(path);
    return { packets, copies: COPIES, ourMs: await decodeTime(path), sharkMs };
  } finally {
    await Deno.remove(path);
  }
}

/** Reads, dissects and prints the protocol column: the least tshark can be asked for. */
async function sharkTime(path: string): Promise<number | null> {
  const start = performance.now();
  try {
    const args = ["-r", path, "-n", "-T", "fields", "-e", "_ws.col.Protocol"];
    const { success } = await new Deno.Command("tshark", { args, stdout: "null", stderr: "null" })
      .output();
    return success ? performance.now() - start : null;
  } catch {
    return null;
  }
}

/** From the file to exchanges. */
async function decodeTime(path: string): Promise<number> {
  const start = performance.now();
  const chain = wireChain();
  const source = pcap(path).open({
    emit(record) {
      if (isSocketRecord(record)) chain.push(record);
    },
    side() {},
    drop() {},
    advance: (watermarkNs) => chain.advance(watermarkNs),
  });
  const { signal } = new AbortController();
  while (!source.done()) {
    if (source.pull(1_000) === 0 && !source.done()) await source.wait(signal);
  }
  source[Symbol.dispose]();
  chain.end();
  return performance.now() - start;
}

/** LINKTYPE_RAW, IPv4: one connection per talk and copy, without handshakes. */
async function writeCapture(path: string, talks: readonly Talk[]): Promise<number> {
  using file = await Deno.open(path, { write: true, truncate: true });
  const header = new DataView(new ArrayBuffer(24));
  [0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, 101].forEach((n, i) => header.setUint32(i * 4, n, true));
  const parts: Uint8Array[] = [new Uint8Array(header.buffer)];
  let packets = 0;
  for (let copy = 0; copy < COPIES; copy++) {
    for (const [index, talk] of talks.entries()) {
      const port = 1_024 + (copy * talks.length + index) % 60_000;
      const seqs = { up: 1, down: 1 };
      for (const step of talk.steps) {
        if (step.kind !== "call") continue;
        for (let at = 0; at < step.bytes.length; at += PAYLOAD_BYTES_MAX) {
          const payload = step.bytes.subarray(at, at + PAYLOAD_BYTES_MAX);
          parts.push(packet(talk.transport, step.up, port, seqs, payload, packets++));
        }
      }
    }
  }
  for (const part of parts) await writeAll(file, part);
  return packets;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

function packet(
  transport: "tcp" | "udp",
  up: boolean,
  port: number,
  seqs: { up: number; down: number },
  payload: Uint8Array,
  index: number,
): Uint8Array {
  const head = transport === "tcp" ? 20 : 8;
  const ipBytes = 20 + head + payload.length;
  const view = new DataView(new ArrayBuffer(16 + ipBytes));
  [1_700_000_000 + Math.floor(index / 1_000), (index % 1_000) * 1_000, ipBytes, ipBytes]
    .forEach((n, i) => view.setUint32(i * 4, n, true));
  view.setUint16(16, 0x4500);
  view.setUint16(18, ipBytes);
  view.setUint8(24, 64);
  view.setUint8(25, transport === "tcp" ? 6 : 17);
  view.setUint32(28, up ? 0x0a000001 : 0x0a000002);
  view.setUint32(32, up ? 0x0a000002 : 0x0a000001);
  view.setUint16(36, up ? port : 64_000);
  view.setUint16(38, up ? 64_000 : port);
  if (transport === "udp") view.setUint16(40, 8 + payload.length);
  else {
    view.setUint32(40, up ? seqs.up : seqs.down);
    view.setUint32(44, up ? seqs.down : seqs.up);
    view.setUint16(48, 0x5018);
    view.setUint16(50, 65_535);
    seqs[up ? "up" : "down"] += payload.length;
  }
  const bytes = new Uint8Array(view.buffer);
  bytes.set(payload, 16 + 20 + head);
  return bytes;
}
