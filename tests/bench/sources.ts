// SPDX-License-Identifier: Apache-2.0
// What sources cost per record on one core: decoding raw records, replaying a recording of them,
// and reading packets of a capture file; all of the same load.

import { recordDecoder } from "../../operators/sources/record_decoder.ts";
import { ethernet, ipv4, pcapFile, tcp } from "../../operators/sources/packets/packet_fixture.ts";
import { pcapFrom } from "../../operators/sources/pcap.ts";
import { dataRecord } from "../../operators/sources/records/event_fixture.ts";
import { writeRecording } from "../../operators/sources/recordings/recording_writer.ts";
import { openReplayFrom } from "../../operators/sources/replay_source.ts";
import { inputOf } from "../../operators/sources/source_fixture.ts";
import { median } from "./median.ts";

export interface SourcesReport {
  readonly rows: readonly SourcesRow[];
}

export interface SourcesRow {
  readonly way: string;
  readonly records: number;
  /** Median over the rounds. */
  readonly nsPerRecord: number;
}

const RECORDS = 200_000;
const ROUNDS = 7;
const CONNECTIONS = 64;
const PAYLOAD = new Uint8Array(100).fill(0x61);

export async function sourcesBench(): Promise<SourcesReport> {
  const raw = rawRecords();
  const recording = await recordingOf(raw);
  const packets = capturedPackets();
  const ways: readonly [way: string, run: () => number | Promise<number>][] = [
    ["decode raw records", () => decodeAll(raw)],
    ["replay a recording", () => pullAll(openReplayFrom(() => inputOf(recording), "bench").source)],
    ["read a pcap file", () => pullAll(pcapFrom(() => inputOf(packets), "bench"))],
  ];
  const times = ways.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [, go]] of ways.entries()) {
      const startMs = performance.now();
      const records = await go();
      if (records < RECORDS) throw new Error(`Cannot measure: ${records} of ${RECORDS} records`);
      times[i]?.push((performance.now() - startMs) * 1e6 / records);
    }
  }
  return {
    rows: ways.map(([way], i) => ({ way, records: RECORDS, nsPerRecord: median(times[i] ?? []) })),
  };
}

/** Both ends of requests and responses on some connections, as one host sees them. */
function rawRecords(): Uint8Array<ArrayBuffer> {
  const parts = Array.from({ length: RECORDS }, (_, i) =>
    dataRecord({
      cookie: BigInt(i % CONNECTIONS + 1),
      tgid: 1000 + i % 4,
      tid: 1000 + i % 16,
      turn: i,
      emitNs: 1_000_000_000n + BigInt(i) * 3_000n,
      direction: i % 2 === 0 ? "ingress" : "egress",
      streamOffset: i * 100,
      seq: i * 100,
      payload: PAYLOAD,
    }));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function decodeAll(raw: Uint8Array<ArrayBuffer>): number {
  let records = 0;
  const decoder = recordDecoder({ emit: () => void records++, drop: () => {} });
  const view = new DataView(raw.buffer);
  for (let at = 0; at < raw.length;) {
    const size = view.getUint32(at, true);
    decoder.decode(raw, view, at, size);
    at += (size + 7) & ~7;
  }
  return records;
}

async function recordingOf(raw: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  const output = {
    write(bytes: Uint8Array) {
      parts.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
    truncate: () => Promise.resolve(),
    close() {},
  };
  const host = { name: "", bootId: "", kernel: "", machine: "" };
  {
    await using writer = writeRecording(output, { host, version: "", path: "", started: "" }, "");
    const view = new DataView(raw.buffer);
    for (let at = 0; at < raw.length;) {
      const size = view.getUint32(at, true);
      writer.append(raw, at, size);
      at += (size + 7) & ~7;
      // Let the writer work: its queue holds no more than a real disk could lag behind.
      if (at % 4096 === 0) await Promise.resolve();
    }
  }
  const { promise, resolve } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()
    .then((buffer) => resolve(new Uint8Array(buffer)));
  return await promise;
}

function capturedPackets(): Uint8Array<ArrayBuffer> {
  const client = [10, 0, 0, 1], server = [10, 0, 0, 2];
  return pcapFile(Array.from({ length: RECORDS }, (_, i) => {
    const port = 40_000 + i % CONNECTIONS;
    const seq = Math.floor(i / CONNECTIONS) * PAYLOAD.length;
    const segment = tcp({ from: port, to: 80, seq, payload: PAYLOAD });
    return {
      timeNs: 1_700_000_000_000_000_000n + BigInt(i) * 3_000n,
      bytes: ethernet(0x0800, ipv4({ from: client, to: server, protocol: 6 }, segment)),
    };
  }));
}

async function pullAll(source: ReturnType<typeof pcapFrom>): Promise<number> {
  let records = 0;
  using stage = source.open({
    emit: () => void records++,
    side() {},
    drop() {},
    advance() {},
  });
  const { signal } = new AbortController();
  while (true) {
    if (stage.pull(4096) > 0) continue;
    if (stage.done()) return records;
    await stage.wait(signal);
  }
}

export function formatSourcesReport({ rows }: SourcesReport): string {
  return rows.map(({ way, nsPerRecord }) =>
    `${way.padEnd(24)} ${nsPerRecord.toFixed(0).padStart(6)} ns per record, ` +
    `${(1e6 / nsPerRecord).toFixed(0).padStart(6)} k records/s`
  ).join("\n");
}
