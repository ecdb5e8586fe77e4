// SPDX-License-Identifier: Apache-2.0
// The talks of the fixtures as one capture file, as often as asked for: Ethernet, IPv4, TCP
// connections from SYN to FIN, each copy with a client address of its own, servers on the ports
// that their protocols usually have, because other dissectors go by those.

import type { Talk } from "../../fuzz/corpus.ts";
import { portOf } from "./usual_port.ts";

export interface CaptureSize {
  readonly packets: number;
  readonly bytes: number;
}

const PAYLOAD_BYTES_MAX = 1_400;
const RECORD_BYTES = 16;
const LINK_BYTES = 14;
const IP_BYTES = 20;
const CLIENT_PORT = 40_000;
const SERVER_ADDRESS = 0x0aff0001;
/** One packet every 10 µs. */
const PACKETS_PER_SECOND = 100_000;
const START_SECONDS = 1_700_000_000;

export async function writeCapture(
  path: string,
  talks: readonly Talk[],
  copies: number,
): Promise<CaptureSize> {
  const copy = copyOf(talks.filter(isWhole));
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  await writeAll(file, fileHeader());
  for (let n = 0; n < copies; n++) {
    stamp(copy, n);
    await writeAll(file, copy.bytes);
  }
  const packets = copies * copy.starts.length;
  return { packets, bytes: fileHeader().length + copies * copy.bytes.length };
}

/** What was captured of it in part only would have to be cut in the file, too. */
const isWhole = ({ steps }: Talk): boolean =>
  steps.every((step) => step.kind !== "call" || step.bytes.length === step.length);

/** Packets of all talks, one after the other; times and client addresses are to be stamped in. */
interface Copy {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where each packet's record begins, and whether the client sent it. */
  readonly starts: readonly { readonly at: number; readonly up: boolean }[];
}

function stamp({ view, starts }: Copy, copy: number): void {
  for (const [index, { at, up }] of starts.entries()) {
    const tick = copy * starts.length + index;
    view.setUint32(at, START_SECONDS + Math.floor(tick / PACKETS_PER_SECOND), true);
    view.setUint32(at + 4, tick % PACKETS_PER_SECOND * (1e6 / PACKETS_PER_SECOND), true);
    const address = at + RECORD_BYTES + LINK_BYTES + (up ? 12 : 16);
    view.setUint32(address, 0x0a000001 + copy);
  }
}

function copyOf(talks: readonly Talk[]): Copy {
  const parts: { readonly bytes: Uint8Array; readonly up: boolean }[] = [];
  for (const [index, talk] of talks.entries()) {
    const packetOf = packets(talk, CLIENT_PORT + index, portOf(talk.protocol));
    const add = (up: boolean, flags: number, payload: Uint8Array = NOTHING) =>
      void parts.push({ bytes: packetOf(up, flags, payload), up });
    if (talk.transport === "tcp") [true, false].forEach((up) => add(up, up ? SYN : SYN | ACK));
    for (const step of talk.steps) {
      if (step.kind !== "call") continue;
      for (let at = 0; at < step.bytes.length; at += PAYLOAD_BYTES_MAX) {
        add(step.up, ACK, step.bytes.subarray(at, at + PAYLOAD_BYTES_MAX));
      }
    }
    if (talk.transport === "tcp") {
      [true, false, true].forEach((up, i) => add(up, i < 2 ? FIN | ACK : ACK));
    }
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  let at = 0;
  const starts = parts.map((part) => {
    const start = { at, up: part.up };
    bytes.set(part.bytes, at);
    at += part.bytes.length;
    return start;
  });
  return { bytes, view: new DataView(bytes.buffer), starts };
}

const FIN = 1, SYN = 2, ACK = 16;
const NOTHING = new Uint8Array(0);

/** Makes the packets of one connection, sequence numbers counted. */
function packets({ transport }: Talk, clientPort: number, serverPort: number) {
  const next = { up: 1_000, down: 2_000 };
  return (up: boolean, flags: number, payload: Uint8Array): Uint8Array => {
    const head = transport === "tcp" ? 20 : 8;
    const ipLength = IP_BYTES + head + payload.length;
    const bytes = new Uint8Array(RECORD_BYTES + LINK_BYTES + ipLength);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, LINK_BYTES + ipLength, true);
    view.setUint32(12, LINK_BYTES + ipLength, true);
    view.setUint16(RECORD_BYTES + 12, 0x0800);
    const ip = RECORD_BYTES + LINK_BYTES, at = ip + IP_BYTES;
    view.setUint16(ip, 0x4500);
    view.setUint16(ip + 2, ipLength);
    view.setUint8(ip + 8, 64);
    view.setUint8(ip + 9, transport === "tcp" ? 6 : 17);
    view.setUint32(ip + (up ? 16 : 12), SERVER_ADDRESS);
    view.setUint16(at, up ? clientPort : serverPort);
    view.setUint16(at + 2, up ? serverPort : clientPort);
    if (transport === "udp") view.setUint16(at + 4, 8 + payload.length);
    else {
      const way = up ? "up" : "down";
      view.setUint32(at + 4, next[way]);
      view.setUint32(at + 8, flags === SYN ? 0 : next[up ? "down" : "up"]);
      view.setUint16(at + 12, 0x5000 | flags);
      view.setUint16(at + 14, 65_535);
      next[way] += payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1);
    }
    bytes.set(payload, at + head);
    return bytes;
  };
}

/** Little-endian, microseconds, Ethernet. */
function fileHeader(): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  [0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, 1].forEach((n, i) => view.setUint32(i * 4, n, true));
  return new Uint8Array(view.buffer);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
