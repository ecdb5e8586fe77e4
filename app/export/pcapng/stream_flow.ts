// SPDX-License-Identifier: Apache-2.0
// One connection as TCP segments: handshake, data, acknowledgements, end.
//
// Sequence numbers are the kernel's where they are known exactly. Data goes out once, by the end
// that saw more of it. Where both ends were seen, an acknowledgement goes out when a program reads,
// so that the time from write to read can be seen; else it rides on the answer.

import type { ByteRun } from "../../../model/byte_run.ts";
import type { Connection } from "../../../model/connection.ts";
import type { Program } from "../../../model/process.ts";
import type { Nanos } from "../../../model/time.ts";
import { type IpEnd, SEGMENT_BYTES_MAX, TCP_FLAG, tcpPacket } from "./ip_packet.ts";
import type { PacketOut } from "./packet_out.ts";

const { fin, syn, rst, psh, ack } = TCP_FLAG;

/** One end of the flow, and the stream that it sends. */
export interface FlowEnd {
  readonly address: IpEnd;
  /** The socket of this end, null where it was not seen, or not yet. */
  socket: Connection | null;
  /** Who used that socket last. */
  program: Program | null;
  /** Sequence number of offset 0 as this end counts what it sends, and as the other one does. */
  readonly base: number;
  readonly baseAtPeer: number;
  /** What this end sends is written when this end sends it; else when the other one reads it. */
  readonly tellsOwn: boolean;
  /** Sequence number behind everything that was written. */
  next: number;
  /** What this end has acknowledged of the other one's stream. */
  acked: number;
  finished: boolean;
}

export interface StreamFlow {
  readonly client: FlowEnd;
  readonly server: FlowEnd;
  /** Time of the last packet: within a flow it never goes back. */
  lastNs: Nanos;
  begun: boolean;
  /** Reads that tell of one segment, as long as one follows the other. */
  reads: ReadRow | null;
  /** Both ends are seen, sooner or later. */
  readonly isShared: boolean;
}

export type EndOfStream = "eof" | "close" | "reset";

const NOTHING = new Uint8Array();
const MADE_UP = "made up: the calls of programs show no ";

/** A run of bytes that a socket of the flow wrote or read. */
export function addRun(flow: StreamFlow, run: ByteRun, out: PacketOut): void {
  const { event } = run;
  const writes = event.direction === "egress";
  const here = endOf(flow, run.connection);
  const from = writes ? here : other(flow, here);
  here.program = event.program;
  const base = from === here ? from.base : from.baseAtPeer;
  const seq = (base + run.offset) >>> 0;
  begin(flow, run.emitNs, out);
  if (flow.reads !== null && flow.reads.from !== from) flushReads(flow, out);
  if (from.tellsOwn && writes) addData(flow, from, seq, run, out);
  else if (!from.tellsOwn && !writes) addToRow(flow, from, seq, run, out);
  else if (!writes) addRead(flow, here, (seq + run.length) >>> 0, run, out);
}

/**
 * Programs read a length of some bytes and then the rest: what was one segment shall be one again.
 * A row ends when something else happens on the connection, or after a pause.
 */
interface ReadRow {
  readonly from: FlowEnd;
  readonly seq: number;
  readonly first: ByteRun;
  readonly parts: Uint8Array[];
  length: number;
  lastNs: Nanos;
}

const ROW_NS = 1_000_000n;

function addToRow(
  flow: StreamFlow,
  from: FlowEnd,
  seq: number,
  run: ByteRun,
  out: PacketOut,
): void {
  const row = flow.reads;
  const isWhole = run.bytes.length === run.length;
  const continues = row !== null && row.from === from && isWhole &&
    seq === ((row.seq + row.length) >>> 0) && run.event.tid === row.first.event.tid &&
    row.length + run.length <= SEGMENT_BYTES_MAX && run.emitNs - row.lastNs < ROW_NS;
  if (continues) {
    row.parts.push(run.bytes.slice());
    row.length += run.length;
    row.lastNs = run.emitNs;
    return;
  }
  flushReads(flow, out);
  if (!isWhole || run.length > SEGMENT_BYTES_MAX) return addData(flow, from, seq, run, out);
  const { length, emitNs: lastNs } = run;
  flow.reads = { from, seq, first: run, parts: [run.bytes.slice()], length, lastNs };
}

/** True when there is nothing to wait for. */
export function flushIdleReads(flow: StreamFlow, nowNs: Nanos, out: PacketOut): boolean {
  if (flow.reads !== null && nowNs - flow.reads.lastNs < ROW_NS) return false;
  flushReads(flow, out);
  return true;
}

export function flushReads(flow: StreamFlow, out: PacketOut): void {
  const row = flow.reads;
  if (row === null) return;
  flow.reads = null;
  const { from, seq, first, parts, length } = row;
  const [part = NOTHING] = parts;
  const payload = parts.length === 1 ? part : joined(parts, length);
  const event = { ...first.event, payload, length };
  addData(flow, from, seq, { ...first, event, bytes: payload, length }, out);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function addData(flow: StreamFlow, from: FlowEnd, seq: number, run: ByteRun, out: PacketOut): void {
  const to = other(flow, from);
  // Where no reads are told of an end, it has taken what came before.
  if (!flow.isShared || !from.tellsOwn) from.acked = to.next;
  for (let at = 0; at < run.length; at += SEGMENT_BYTES_MAX) {
    const length = Math.min(SEGMENT_BYTES_MAX, run.length - at);
    const isLast = at + length === run.length;
    send(flow, from, run.emitNs, out, {
      seq: (seq + at) >>> 0,
      flags: ack | (isLast ? psh : 0),
      payload: run.bytes.subarray(at, at + length),
      length,
      run,
    });
  }
  const end = (seq + run.length) >>> 0;
  if (isAfter(end, from.next)) from.next = end;
  if (!from.tellsOwn) to.acked = from.next;
}

/** A read tells that all before its end has arrived, unless its record came before the write's. */
function addRead(flow: StreamFlow, here: FlowEnd, end: number, run: ByteRun, out: PacketOut): void {
  const from = other(flow, here);
  if (isAfter(end, from.next) || !isAfter(end, here.acked)) return;
  here.acked = end;
  send(flow, here, run.emitNs, out, { seq: here.next, flags: ack, run });
}

/** A direction, or all that a socket of the flow does, is over. */
export function endRun(
  flow: StreamFlow,
  socket: Connection,
  what: EndOfStream,
  emitNs: Nanos,
  out: PacketOut,
): void {
  flushReads(flow, out);
  const here = endOf(flow, socket);
  const there = other(flow, here);
  if (what === "eof") return finish(flow, there, emitNs, out);
  if (what === "reset") {
    if (here.finished && there.finished) return;
    send(flow, here, emitNs, out, { seq: here.next, flags: rst | ack });
    here.finished = there.finished = true;
    return;
  }
  finish(flow, here, emitNs, out);
  if (!flow.isShared) finish(flow, there, emitNs, out);
}

function finish(flow: StreamFlow, from: FlowEnd, emitNs: Nanos, out: PacketOut): void {
  if (from.finished || !flow.begun) return;
  const to = other(flow, from);
  from.finished = true;
  from.acked = to.next;
  const comment = `${MADE_UP}FIN, only that the stream ended`;
  send(flow, from, emitNs, out, { seq: from.next, flags: fin | ack, comment });
  from.next = (from.next + 1) >>> 0;
  if (!to.finished) return;
  to.acked = from.next;
  send(flow, to, emitNs, out, { seq: to.next, flags: ack, comment });
}

/** The handshake, at the time at which the connection was established. */
function begin(flow: StreamFlow, emitNs: Nanos, out: PacketOut): void {
  if (flow.begun) return;
  flow.begun = true;
  const { client, server } = flow;
  const known = client.socket ?? server.socket;
  if (known === null || known.joinedMidstream) return;
  const startNs = known.startNs > 0n && known.startNs < emitNs ? known.startNs : emitNs;
  const comment = `${MADE_UP}handshake, only that it was over then`;
  const [first, second] = [(client.next - 1) >>> 0, (server.next - 1) >>> 0];
  client.acked = 0;
  send(flow, client, startNs, out, { seq: first, flags: syn, comment });
  server.acked = client.next;
  send(flow, server, startNs, out, { seq: second, flags: syn | ack, comment });
  client.acked = server.next;
  send(flow, client, startNs, out, { seq: client.next, flags: ack, comment });
}

interface Sent {
  readonly seq: number;
  readonly flags: number;
  readonly payload?: Uint8Array;
  readonly length?: number;
  /** What it comes from; absent for segments that no call moved. */
  readonly run?: ByteRun;
  readonly comment?: string;
}

function send(flow: StreamFlow, from: FlowEnd, atNs: Nanos, out: PacketOut, sent: Sent): void {
  if (atNs > flow.lastNs) flow.lastNs = atNs;
  const to = other(flow, from);
  const { seq, flags, payload = NOTHING, length = 0, run } = sent;
  const { bytes, wireBytes } = tcpPacket({
    from: from.address,
    to: to.address,
    seq,
    ack: from.acked,
    flags,
    payload,
    length,
  });
  const toldBy = run?.connection ?? from.socket ?? to.socket;
  out.packet({
    emitNs: flow.lastNs,
    bytes,
    wireBytes,
    inbound: toldBy !== from.socket,
    socket: toldBy,
    program: run?.event.program ?? from.program ?? to.program,
    ...(run === undefined ? {} : { event: run.event }),
    ...(sent.comment === undefined ? {} : { comment: sent.comment }),
  });
}

function endOf({ client, server }: StreamFlow, socket: Connection): FlowEnd {
  return client.socket?.conn === socket.conn ? client : server;
}

function other({ client, server }: StreamFlow, end: FlowEnd): FlowEnd {
  return end === client ? server : client;
}

/** Sequence numbers wrap. */
const isAfter = (a: number, b: number) => ((a - b) | 0) > 0;
