// SPDX-License-Identifier: Apache-2.0
// Builds raw records as the kernel writes them, for tests and benchmarks.

import {
  activityEventAt as A,
  activityEventBytes,
  activityWhat,
  closeEventAt as C,
  closeEventBytes,
  closeReason,
  connectEventAt as N,
  connectEventBytes,
  coroutineEventAt as R,
  coroutineEventBytes,
  dataEventAt as D,
  dataEventBytes,
  dataFlags,
  direction,
  eventHeaderAt as H,
  eventKind,
  processEventAt as P,
  processEventBytes,
  processWhat,
  role,
  unixEventAt as U,
  unixEventBytes,
  via,
} from "../../../bpf/event.gen.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface HeaderParts {
  readonly emitNs?: bigint;
  readonly leaderStartNs?: bigint;
  readonly tgid?: number;
  readonly tid?: number;
  readonly execCount?: number;
  readonly turn?: number;
  readonly cgroupId?: bigint;
  readonly comm?: string;
}

export interface FlowParts extends HeaderParts {
  readonly cookie?: bigint;
  readonly peerCookie?: bigint;
  readonly connStartNs?: bigint;
  readonly netns?: number;
  readonly transport?: "tcp" | "udp" | "unix";
  readonly role?: keyof typeof role;
  readonly joinedMidstream?: boolean;
  /** 4 or 16 bytes. */
  readonly local?: readonly number[];
  readonly localPort?: number;
  readonly peer?: readonly number[];
  readonly peerPort?: number;
}

export interface DataParts extends FlowParts {
  readonly direction?: keyof typeof direction;
  readonly payload?: string | Uint8Array;
  /** Length of what passed; that of the payload by default. */
  readonly length?: number;
  readonly streamOffset?: number;
  readonly seq?: number;
  readonly startNs?: bigint;
  readonly coroutine?: bigint;
  readonly flags?: readonly (keyof typeof dataFlags)[];
  readonly via?: keyof typeof via;
}

export function dataRecord(parts: DataParts = {}): Bytes {
  const { payload: given = "" } = parts;
  const payload = typeof given === "string" ? new TextEncoder().encode(given) : given;
  const size = (dataEventBytes + payload.length + 7) & ~7;
  const { bytes, view } = record(size, eventKind.data, parts);
  view.setUint32(H.size, dataEventBytes + payload.length, true);
  writeFlow(bytes, view, parts);
  view.setBigUint64(D.callStartNs, parts.startNs ?? 0n, true);
  view.setBigUint64(D.streamOffset, BigInt(parts.streamOffset ?? 0), true);
  view.setUint32(D.length, parts.length ?? payload.length, true);
  view.setUint32(D.captured, payload.length, true);
  view.setUint32(D.tcpSeq, parts.seq ?? 0, true);
  view.setUint16(D.coroutineHigh, Number((parts.coroutine ?? 0n) >> 32n), true);
  view.setUint32(D.coroutineLow, Number((parts.coroutine ?? 0n) & 0xffffffffn), true);
  const names = [...parts.flags ?? []];
  if (parts.seq !== undefined) names.push("seqValid");
  if (parts.startNs !== undefined) names.push("startKnown");
  view.setUint32(D.flags, names.reduce((sum, name) => sum | dataFlags[name], 0), true);
  view.setUint8(D.direction, direction[parts.direction ?? "ingress"]);
  view.setUint8(D.via, via[parts.via ?? "call"]);
  bytes.set(payload, dataEventBytes);
  return bytes;
}

export interface CloseParts extends FlowParts {
  readonly reason?: keyof typeof closeReason;
}

export function closeRecord(parts: CloseParts = {}): Bytes {
  const { bytes, view } = record(closeEventBytes, eventKind.close, { comm: "", tid: 0, ...parts });
  writeFlow(bytes, view, parts);
  view.setUint8(C.reason, closeReason[parts.reason ?? "orderly"]);
  return bytes;
}

export interface ProcessParts extends HeaderParts {
  readonly what: keyof typeof processWhat;
  readonly parentTgid?: number;
  readonly exitStatus?: number;
  readonly filename?: string;
  readonly args?: readonly string[];
}

export function processRecord(parts: ProcessParts): Bytes {
  const { bytes, view } = record(processEventBytes, eventKind.process, parts);
  const encoder = new TextEncoder();
  const filename = encoder.encode(parts.filename ?? "");
  const args = encoder.encode((parts.args ?? []).map((word) => `${word}\0`).join(""));
  view.setUint32(P.what, processWhat[parts.what], true);
  view.setUint32(P.ppid, parts.parentTgid ?? 1, true);
  view.setUint32(P.innerPid, parts.tgid ?? 100, true);
  view.setUint32(P.exitStatus, parts.exitStatus ?? 0, true);
  view.setUint32(P.filenameBytes, filename.length, true);
  view.setUint32(P.argsBytes, args.length, true);
  bytes.set(filename, P.filename);
  bytes.set(args, P.args);
  return bytes;
}

export function activityRecord(
  parts: HeaderParts & { readonly what: keyof typeof activityWhat; readonly otherTid?: number },
): Bytes {
  const { bytes, view } = record(activityEventBytes, eventKind.activity, parts);
  view.setUint32(A.what, activityWhat[parts.what], true);
  view.setUint32(A.otherTid, parts.otherTid ?? 0, true);
  return bytes;
}

/** `line`: number and birth of the coroutine, then of those it descends from. */
export function coroutineRecord(
  parts: HeaderParts & { readonly line: readonly (readonly [bigint, bigint])[] },
): Bytes {
  const { bytes, view } = record(coroutineEventBytes, eventKind.coroutine, parts);
  for (const [i, [coroutine, bornNs]] of parts.line.entries()) {
    view.setBigUint64(R.line + 16 * i, coroutine, true);
    view.setBigUint64(R.line + 16 * i + 8, bornNs, true);
  }
  return bytes;
}

export function connectRecord(
  parts: HeaderParts & { readonly cookie: bigint; readonly peerPort: number },
): Bytes {
  const { bytes, view } = record(connectEventBytes, eventKind.connect, parts);
  view.setBigUint64(N.cookie, parts.cookie, true);
  view.setUint16(N.family, 2, true);
  view.setUint16(N.peerPort, parts.peerPort, true);
  bytes.set([127, 0, 0, 1], N.peerAddr);
  return bytes;
}

export function unixRecord(
  parts: HeaderParts & { readonly cookie: bigint; readonly local: string; readonly peer: string },
): Bytes {
  const { bytes, view } = record(unixEventBytes, eventKind.unix, parts);
  const encoder = new TextEncoder();
  const [local, peer] = [encoder.encode(parts.local), encoder.encode(parts.peer)];
  view.setBigUint64(U.cookie, parts.cookie, true);
  view.setUint32(U.localBytes, local.length, true);
  view.setUint32(U.peerBytes, peer.length, true);
  bytes.set(local, U.local);
  bytes.set(peer, U.peer);
  return bytes;
}

function record(size: number, kind: number, parts: HeaderParts): { bytes: Bytes; view: DataView } {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const { tgid = 100, comm = "curl" } = parts;
  view.setUint32(H.size, size, true);
  view.setUint8(H.kind, kind);
  view.setBigUint64(H.emitNs, parts.emitNs ?? 1_000_000_000n, true);
  view.setBigUint64(H.leaderStartNs, parts.leaderStartNs ?? 500_000_000n, true);
  view.setUint32(H.tgid, tgid, true);
  view.setUint32(H.tid, parts.tid ?? tgid, true);
  view.setUint32(H.execCount, parts.execCount ?? 1, true);
  view.setUint32(H.turn, parts.turn ?? 0, true);
  view.setBigUint64(H.cgroupId, parts.cgroupId ?? 0n, true);
  bytes.set(new TextEncoder().encode(comm).subarray(0, 15), H.comm);
  return { bytes, view };
}

const PROTOCOL = { tcp: 6, udp: 17, unix: 0 } as const;
const SOCKET_TYPE = { tcp: 1, udp: 2, unix: 1 } as const;

function writeFlow(bytes: Bytes, view: DataView, parts: FlowParts): void {
  const { transport = "tcp", local = [127, 0, 0, 1], peer = [127, 0, 0, 1] } = parts;
  view.setBigUint64(D.cookie, parts.cookie ?? 7n, true);
  view.setBigUint64(D.peerCookie, parts.peerCookie ?? 0n, true);
  view.setBigUint64(D.connStartNs, parts.connStartNs ?? 900_000_000n, true);
  view.setUint32(D.netns, parts.netns ?? 1, true);
  view.setUint16(D.localPort, parts.localPort ?? 40_000, true);
  view.setUint16(D.peerPort, parts.peerPort ?? 80, true);
  view.setUint16(D.family, transport === "unix" ? 1 : local.length === 16 ? 10 : 2, true);
  view.setUint8(D.type, SOCKET_TYPE[transport]);
  view.setUint8(D.protocol, PROTOCOL[transport]);
  view.setUint8(D.role, role[parts.role ?? "client"]);
  view.setUint8(D.joinedMidstream, parts.joinedMidstream ? 1 : 0);
  bytes.set(local, D.localAddr);
  bytes.set(peer, D.peerAddr);
}
