// SPDX-License-Identifier: Apache-2.0
// A capture under test: decodes what the kernel programs send, field by field, for the processes
// that a test started. Deliberately apart from the decoder of the source, which it must not trust.

import {
  activityEventAt,
  closeEventAt,
  connectEventAt,
  coroutineEventAt,
  coroutineEventBytes,
  dataEventAt as at,
  dataEventBytes,
  dataFlags,
  eventKind,
  processEventAt,
  unixEventAt,
} from "../../bpf/event.gen.ts";
import { type Capture, type CaptureOptions, openCapture } from "../../ffi/capture.ts";
import { within } from "../support/deadline.ts";

export interface DataRecord {
  readonly tgid: number;
  readonly tid: number;
  readonly turn: number;
  readonly coroutine: number;
  readonly emitNs: bigint;
  readonly startNs: bigint;
  readonly comm: string;
  readonly cookie: bigint;
  readonly peerCookie: bigint;
  readonly role: number;
  readonly joined: boolean;
  readonly family: number;
  readonly type: number;
  readonly local: string;
  readonly peer: string;
  readonly direction: "in" | "out";
  readonly call: number;
  readonly via: number;
  readonly fd: number;
  readonly mmsgIndex: number;
  readonly verdict: number;
  readonly length: number;
  readonly offset: number;
  readonly seq: number;
  /** Names of the flags that are set. */
  readonly flags: string[];
  readonly payload: string;
}

export interface OtherRecord {
  readonly kind: "close" | "connect" | "process" | "activity" | "unix" | "coroutine";
  readonly tgid: number;
  readonly execCount: number;
  readonly comm: string;
  readonly fields: Readonly<Record<string, number | bigint | string>>;
}

export interface Watch extends Disposable {
  readonly capture: Capture;
  /** Socket events of every process of the host but this one. */
  readonly data: DataRecord[];
  readonly others: OtherRecord[];
  /** Drains until the condition holds; fails after ten seconds. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Drains until the process has ended and its last record has come. */
  untilExit(pid: number): Promise<void>;
  dataOf(pid: number): DataRecord[];
}

export function watch(options: CaptureOptions = {}): Watch {
  const capture = openCapture(options);
  const data: DataRecord[] = [];
  const others: OtherRecord[] = [];
  const take = (view: DataView, base: number) => {
    if (view.getUint8(base + at.kind) === eventKind.data) data.push(readData(view, base));
    else others.push(readOther(view, base));
  };
  const until = async (what: string, condition: () => boolean) => {
    let gaveUp = false;
    const loop = async () => {
      while (!gaveUp) {
        capture.drain(take);
        if (condition()) return;
        await capture.wait();
      }
    };
    await within(what, loop(), 10_000).finally(() => gaveUp = true);
  };
  return {
    capture,
    data,
    others,
    until,
    untilExit: (pid) =>
      until(
        `the exit of process ${pid}`,
        () => others.some((r) => r.kind === "process" && r.tgid === pid && r.fields["what"] === 3),
      ),
    dataOf: (pid) => data.filter((record) => record.tgid === pid),
    [Symbol.dispose]: () => capture[Symbol.dispose](),
  };
}

const decoder = new TextDecoder();

function text(view: DataView, offset: number, length: number): string {
  return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + offset, length));
}

const untilNul = (s: string) => s.replace(/\0.*/s, "");

function address(view: DataView, offset: number, family: number): string {
  if (family === 2) return [0, 1, 2, 3].map((i) => view.getUint8(offset + i)).join(".");
  if (family !== 10) return "";
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => view.getUint16(offset + 2 * i).toString(16)).join(":");
}

function readData(view: DataView, base: number): DataRecord {
  const u8 = (field: number) => view.getUint8(base + field);
  const u16 = (field: number) => view.getUint16(base + field, true);
  const u32 = (field: number) => view.getUint32(base + field, true);
  const u64 = (field: number) => view.getBigUint64(base + field, true);
  const family = u16(at.family);
  const flags = u32(at.flags);
  return {
    tgid: u32(at.tgid),
    tid: u32(at.tid),
    turn: u32(at.turn),
    coroutine: u16(at.coroutineHigh) * 2 ** 32 + u32(at.coroutineLow),
    emitNs: u64(at.emitNs),
    startNs: u64(at.callStartNs),
    comm: untilNul(text(view, base + at.comm, 16)),
    cookie: u64(at.cookie),
    peerCookie: u64(at.peerCookie),
    role: u8(at.role),
    joined: u8(at.joinedMidstream) === 1,
    family,
    type: u8(at.type),
    local: `${address(view, base + at.localAddr, family)} ${u16(at.localPort)}`,
    peer: `${address(view, base + at.peerAddr, family)} ${u16(at.peerPort)}`,
    direction: u8(at.direction) === 1 ? "out" : "in",
    call: u8(at.call),
    via: u8(at.via),
    fd: view.getInt32(base + at.fd, true),
    mmsgIndex: u16(at.mmsgIndex),
    verdict: u8(at.verdict),
    length: u32(at.length),
    offset: Number(u64(at.streamOffset)),
    seq: u32(at.tcpSeq),
    flags: Object.entries(dataFlags).filter(([, bit]) => flags & bit).map(([name]) => name),
    payload: text(view, base + dataEventBytes, u32(at.captured)),
  };
}

/** Numbers of a coroutine and of those it descends from. */
function ancestorsOf(view: DataView, base: number): string {
  const line: bigint[] = [];
  for (let where = coroutineEventAt.line; where < coroutineEventBytes; where += 16) {
    line.push(view.getBigUint64(base + where, true));
  }
  return line.filter((coroutine) => coroutine !== 0n).join(" ");
}

const KINDS = {
  [eventKind.close]: { kind: "close", layout: closeEventAt },
  [eventKind.process]: { kind: "process", layout: processEventAt },
  [eventKind.activity]: { kind: "activity", layout: activityEventAt },
  [eventKind.unix]: { kind: "unix", layout: unixEventAt },
  [eventKind.connect]: { kind: "connect", layout: connectEventAt },
  [eventKind.coroutine]: { kind: "coroutine", layout: coroutineEventAt },
} as const;

const WIDE = new Set([
  "emitNs",
  "leaderStartNs",
  "cgroupId",
  "cookie",
  "peerCookie",
  "connStartNs",
  "bytesIngress",
  "bytesEgress",
  "events",
  "parentStartNs",
]);
const NARROW = new Set(["kind", "ring", "reason", "role", "joinedMidstream", "type", "protocol"]);
const SHORT = new Set(["localPort", "peerPort", "family"]);
const TEXT: Record<string, number> = { comm: 16, filename: 256, args: 512, local: 112, peer: 112 };

function readOther(view: DataView, base: number): OtherRecord {
  const known = Object.entries(KINDS).find(([code]) => +code === view.getUint8(base + at.kind))
    ?.[1];
  if (known === undefined) throw new Error(`Cannot read record kind ${view.getUint8(base + 4)}`);
  const fields: Record<string, number | bigint | string> = {};
  for (const [name, offset] of Object.entries(known.layout)) {
    const where = base + offset;
    if (name in TEXT) fields[name] = text(view, where, TEXT[name] ?? 0);
    else if (WIDE.has(name)) fields[name] = view.getBigUint64(where, true);
    else if (NARROW.has(name)) fields[name] = view.getUint8(where);
    else if (SHORT.has(name)) fields[name] = view.getUint16(where, true);
    else if (!name.endsWith("Addr")) fields[name] = view.getUint32(where, true);
  }
  if (known.kind === "coroutine") fields["ancestors"] = ancestorsOf(view, base);
  return {
    kind: known.kind,
    tgid: view.getUint32(base + at.tgid, true),
    execCount: view.getUint32(base + at.execCount, true),
    comm: untilNul(text(view, base + at.comm, 16)),
    fields,
  };
}
