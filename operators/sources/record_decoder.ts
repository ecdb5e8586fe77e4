// SPDX-License-Identifier: Apache-2.0
// Raw records, as the kernel ring and recordings hold them, to CaptureRecords.
//
// The live source and the replay feed the same decoder, so they give the same records. Payloads
// are views of the given bytes: borrowed, valid during the emit. This is the hot path of capture.

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
  coroutineTask,
  dataEventAt as D,
  dataEventBytes,
  dataFlags,
  direction as directionCode,
  eventHeaderAt as H,
  eventKind,
  processEventAt as P,
  processEventBytes,
  processWhat,
  unixEventAt as U,
  unixEventBytes,
  via as viaCode,
} from "../../bpf/event.gen.ts";
import type {
  Activity,
  CaptureRecord,
  CoroutineBirth,
  CoroutineTask,
  SocketEvent,
  Via,
} from "../../model/capture_record.ts";
import { DROP_REASONS, type DropReason } from "../../model/drops.ts";
import { decodeHostFact, HOST_FACT_KIND, type HostFact } from "./records/host_fact.ts";
import { type AskHost, type ProgramState, programTable } from "./records/program_table.ts";
import { peerOfMessage, readPeer } from "./records/socket_ends.ts";
import { type SocketState, socketTable } from "./records/socket_table.ts";
import { readText } from "./records/text_field.ts";
import type { Nanos } from "../../model/time.ts";

export interface DecoderOutputs {
  readonly emit: (record: CaptureRecord) => void;
  readonly drop: (reason: DropReason, n?: number) => void;
}

export interface DecoderOptions {
  readonly socketsMax?: number;
  readonly programsMax?: number;
  /** Live capture only. It answers by having host facts decoded before it returns. */
  readonly ask?: AskHost;
}

export interface RecordDecoder {
  /** Decodes the record of `size` bytes at `at`; `view` lies over the same buffer as `bytes`. */
  decode(bytes: Uint8Array, view: DataView, at: number, size: number): void;
  /** Sockets and programs remembered. */
  held(): number;
}

export function recordDecoder(out: DecoderOutputs, options: DecoderOptions = {}): RecordDecoder {
  const decoding = tables(out, options);
  return {
    decode(bytes, view, at, size) {
      if (size < 16 || view.getUint32(at + H.size, true) > size) {
        out.drop("record_malformed");
        return;
      }
      const recordBytes = view.getUint32(at + H.size, true);
      switch (view.getUint8(at + H.kind)) {
        case eventKind.data:
          if (recordBytes < dataEventBytes) break;
          return decodeData(decoding, bytes, view, at, recordBytes);
        case eventKind.close:
          if (recordBytes < closeEventBytes) break;
          return decodeClose(decoding, view, at);
        case eventKind.process:
          if (recordBytes < processEventBytes) break;
          return decodeProcess(decoding, bytes, view, at);
        case eventKind.activity:
          if (recordBytes < activityEventBytes) break;
          return decodeActivity(decoding, bytes, view, at);
        case eventKind.coroutine:
          if (recordBytes < R.object) break;
          return decodeCoroutine(decoding, bytes, view, at, recordBytes);
        case eventKind.connect:
          if (recordBytes < connectEventBytes) break;
          return decodeConnect(decoding, bytes, view, at);
        case eventKind.unix:
          if (recordBytes < unixEventBytes) break;
          return decodeUnix(decoding, bytes, view, at);
        case HOST_FACT_KIND: {
          const fact = decodeHostFact(bytes, at, recordBytes);
          if (fact !== null) return takeFact(decoding, fact, emitTime(view, at));
        }
      }
      out.drop("record_malformed");
    },
    held: () => decoding.sockets.size + decoding.programs.size,
  };
}

type Decoding = ReturnType<typeof tables>;

function tables(out: DecoderOutputs, options: DecoderOptions) {
  const { socketsMax, programsMax, ask } = options;
  const sockets = socketTable({
    ...(socketsMax === undefined ? {} : { socketsMax }),
    closed: (connection, emitNs, reason) => out.emit({ kind: "close", connection, emitNs, reason }),
    forgotten: () => out.drop("connections_full"),
  });
  const programs = programTable({
    ...(programsMax === undefined ? {} : { programsMax }),
    met: (program, emitNs) => out.emit({ kind: "process", what: "seen", program, emitNs }),
    ask,
  });
  return { sockets, programs, out };
}

const emitTime = (view: DataView, at: number): Nanos => view.getBigUint64(at + H.emitNs, true);

const VIAS: readonly Via[] = (() => {
  const vias: Via[] = [];
  vias[viaCode.call] = "call";
  vias[viaCode.sendfile] = "sendfile";
  vias[viaCode.splice] = "splice";
  // Kernel threads have no visible buffer either.
  vias[viaCode.ioUring] = vias[viaCode.other] = "io_uring";
  return vias;
})();

const NOTHING = new Uint8Array();

function decodeData(
  { sockets, programs, out }: Decoding,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  size: number,
): void {
  const captured = view.getUint32(at + D.captured, true);
  const length = view.getUint32(at + D.length, true);
  if (captured > size - dataEventBytes || captured > length) {
    out.drop("record_malformed");
    return;
  }
  const flags = view.getUint32(at + D.flags, true);
  const eof = (flags & dataFlags.eof) !== 0;
  const ingress = view.getUint8(at + D.direction) === directionCode.ingress;
  const emitNs = emitTime(view, at);
  const { program } = programs.find(bytes, view, at);
  let socket = sockets.find(view, at);
  if (socket === undefined) {
    // The end of a stream whose socket is gone already says nothing new.
    if (eof) return;
    socket = sockets.add(bytes, view, at, emitNs);
  } else sockets.use(socket, bytes, view, at, emitNs);
  const coroutine = coroutineAt(view, at);
  const peer = peerOfMessage(socket.ends, bytes, view, at);
  const payloadAt = at + dataEventBytes;
  const event: SocketEvent = {
    kind: "data",
    connection: socket.connection,
    program,
    tid: view.getUint32(at + D.tid, true),
    coroutine,
    // A goroutine moves between threads, whose turns say nothing about it.
    turn: coroutine === 0n ? view.getUint32(at + D.turn, true) : 0,
    direction: ingress ? "ingress" : "egress",
    emitNs,
    // A read may have begun long before there was anything to read.
    startNs: ingress || (flags & dataFlags.startKnown) === 0
      ? emitNs
      : view.getBigUint64(at + D.callStartNs, true),
    streamOffset: view.getUint32(at + D.streamOffset, true) +
      view.getUint32(at + D.streamOffset + 4, true) * 4294967296,
    length,
    payload: captured === 0 ? NOTHING : bytes.subarray(payloadAt, payloadAt + captured),
    seq: (flags & dataFlags.seqValid) === 0 ? -1 : view.getUint32(at + D.tcpSeq, true),
    eof,
    via: VIAS[view.getUint8(at + D.via)] ?? "call",
  };
  if ((flags & dataFlags.noBuffer) !== 0) noteUnseen(event);
  out.emit(peer === null ? event : { ...event, peer });
  if ((flags & dataFlags.over) !== 0) sockets.ended(socket);
}

function noteUnseen({ connection, via, length, payload }: SocketEvent): void {
  if (via === "call" || via === "packet" || payload.length > 0 || length === 0) return;
  connection.unseenVia = via;
}

/** Below 2^48, in two parts; 0 in records of older versions. */
function coroutineAt(view: DataView, at: number): bigint {
  const high = view.getUint16(at + D.coroutineHigh, true);
  const low = view.getUint32(at + D.coroutineLow, true);
  return high === 0 && low === 0 ? 0n : BigInt(high) << 32n | BigInt(low);
}

function decodeClose({ sockets, programs }: Decoding, view: DataView, at: number): void {
  const socket: SocketState | undefined = sockets.find(view, at);
  if (socket === undefined) return;
  const orderly = view.getUint8(at + C.reason) === closeReason.orderly;
  const gone = programs.known(view, at)?.gone ?? false;
  sockets.close(socket, emitTime(view, at), orderly ? gone ? "exit" : "close" : "reset");
}

function decodeProcess(
  { sockets, programs, out }: Decoding,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): void {
  const emitNs = emitTime(view, at);
  switch (view.getUint32(at + P.what, true)) {
    case processWhat.fork: {
      const { program } = programs.forked(bytes, view, at);
      return out.emit({ kind: "process", what: "fork", program, emitNs });
    }
    case processWhat.exec: {
      const { program } = programs.executed(bytes, view, at);
      return out.emit({ kind: "process", what: "exec", program, emitNs });
    }
    case processWhat.exit: {
      const state: ProgramState | undefined = programs.known(view, at);
      if (state === undefined) return;
      const exitStatus = view.getUint32(at + P.exitStatus, true);
      out.emit({ kind: "process", what: "exit", program: state.program, emitNs, exitStatus });
      programs.exited(state);
      return sockets.exited(state.program.tgid, emitNs);
    }
    default:
      out.drop("record_malformed");
  }
}

const ACTIVITIES: ReadonlyMap<number, Activity["what"]> = new Map([
  [activityWhat.threadExit, "thread_exit"],
  [activityWhat.wakeup, "wakeup"],
  [activityWhat.turn, "turn"],
]);

function decodeActivity(
  { programs, out }: Decoding,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): void {
  const what = ACTIVITIES.get(view.getUint32(at + A.what, true));
  if (what === undefined) {
    out.drop("record_malformed");
    return;
  }
  const activity = {
    kind: "activity",
    what,
    program: programs.find(bytes, view, at).program,
    tid: view.getUint32(at + A.tid, true),
    turn: view.getUint32(at + A.turn, true),
    emitNs: emitTime(view, at),
  } as const;
  const wokenTid = view.getUint32(at + A.otherTid, true);
  out.emit(what === "wakeup" ? { ...activity, wokenTid } : activity);
}

const LINE_BYTES = 16;

function decodeCoroutine(
  { programs, out }: Decoding,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  size: number,
): void {
  const line: CoroutineBirth[] = [];
  for (let from = at + R.line; from < at + R.object; from += LINE_BYTES) {
    const coroutine = view.getBigUint64(from, true);
    if (coroutine === 0n) break;
    line.push({ coroutine, bornNs: view.getBigUint64(from + 8, true) });
  }
  const { program } = programs.find(bytes, view, at);
  // Records of older versions end here.
  const task = size < coroutineEventBytes ? null : taskAt(view, at);
  const fact = { kind: "coroutine", program, line, emitNs: emitTime(view, at) } as const;
  out.emit(task === null ? fact : { ...fact, task });
}

function taskAt(view: DataView, at: number): CoroutineTask | null {
  const object = view.getBigUint64(at + R.object, true);
  const stream = view.getUint32(at + R.stream, true);
  switch (view.getUint32(at + R.task, true)) {
    case coroutineTask.reads:
      return { what: "reads", object };
    case coroutineTask.handles:
      return { what: "handles", object, stream };
    case coroutineTask.sends:
      return { what: "sends", object, stream };
    case coroutineTask.begins:
      return { what: "begins", object, stream };
    case coroutineTask.given:
      return { what: "given", isLooping: stream === 1 };
    default:
      return null;
  }
}

function decodeConnect(
  { programs, out }: Decoding,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): void {
  out.emit({
    kind: "connect",
    program: programs.find(bytes, view, at).program,
    tid: view.getUint32(at + N.tid, true),
    turn: view.getUint32(at + N.turn, true),
    cookie: view.getBigUint64(at + N.cookie, true),
    peer: readPeer(bytes, view, at),
    emitNs: emitTime(view, at),
  });
}

function decodeUnix({ sockets }: Decoding, bytes: Uint8Array, view: DataView, at: number): void {
  const nameAt = (field: number, lengthAt: number) => {
    const length = Math.min(U.peer - U.local, view.getUint32(at + lengthAt, true));
    // Abstract names start with NUL and are written with "@", as ss and others do.
    if (length === 0) return "";
    const abstract = bytes[at + field] === 0;
    return abstract
      ? `@${readText(bytes, at + field + 1, length - 1)}`
      : readText(bytes, at + field, length);
  };
  const local = nameAt(U.local, U.localBytes);
  sockets.nameUnix(view, at + U.cookie, local, nameAt(U.peer, U.peerBytes));
}

function takeFact({ sockets, programs, out }: Decoding, fact: HostFact, emitNs: Nanos): void {
  switch (fact.fact) {
    case "clock":
      sockets.expire(emitNs);
      return out.emit({
        kind: "clock",
        emitNs,
        bootNs: BigInt(fact.bootNs),
        realNs: BigInt(fact.realNs),
      });
    case "loss": {
      const { reason, count } = fact;
      if (isDropReason(reason)) out.drop(reason, count);
      return out.emit({ kind: "loss", emitNs, reason, count });
    }
    case "seen":
      return programs.seen(fact, emitNs);
    case "cgroup":
      return programs.nameCgroup(BigInt(fact.id), fact.path);
  }
}

const isDropReason = (reason: string): reason is DropReason => Object.hasOwn(DROP_REASONS, reason);
