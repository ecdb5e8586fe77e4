// SPDX-License-Identifier: Apache-2.0
// TCP flows of a capture file: from segments to records with stream offsets.
//
// Segments pass in the order of the file, repeated ones too: putting them in order is the work of
// reassembly. Offset 0 is the byte after SYN, or the first byte seen of a flow joined midstream.

import type { Connection } from "../../../model/connection.ts";
import { LIMITS } from "../../../model/limits.ts";
import { MINUTE, type Nanos } from "../../../model/time.ts";
import { connectionOf, endsOf, isFromServer, isServerBySourcePort } from "./flow_ends.ts";
import { closeOf, eventOf, type FlowOutputs } from "./flow_records.ts";
import { type Entry, flowTable } from "./flow_table.ts";
import { type Frame, u32 } from "../packets/frame.ts";

/** One direction: sequence number `seq` lies at stream offset `offset`, the highest known. */
interface Side {
  seq: number;
  offset: number;
  /** Sequence number of offset 0, -1 until known. */
  firstSeq: number;
  finOffset: number;
  finAcked: boolean;
}

interface TcpFlow {
  readonly connection: Connection;
  readonly toServer: Side;
  readonly toClient: Side;
  /**
   * Null while open. A closed flow is remembered so that late copies do not look like a new one.
   */
  closedNs: Nanos | null;
}

const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

/** How long late segments of a closed flow are expected: twice the longest life of a segment. */
const LINGER_NS = MINUTE;

/** One segment, as far as flows care. */
interface Segment {
  readonly flags: number;
  /** Of the first byte; SYN takes a number of its own before it. */
  readonly seq: number;
  readonly ack: number;
  readonly payloadAt: number;
  readonly length: number;
  readonly timeNs: Nanos;
}

export interface TransportFlows {
  /** Takes the packet whose transport header is at `frame.at`; false if that is malformed. */
  take(frame: Frame, timeNs: Nanos): boolean;
  held(): number;
}

export function tcpFlows(out: FlowOutputs, flowsMax = LIMITS.connections.value): TransportFlows {
  const flows = flowTable<TcpFlow>();

  function makeRoom(nowNs: Nanos): void {
    for (let oldest = flows.oldest(); oldest !== null; oldest = flows.oldest()) {
      const { flow } = oldest;
      const over = flow.closedNs !== null && nowNs - flow.closedNs > LINGER_NS;
      if (!over && flows.size < flowsMax) return;
      flows.remove(oldest);
      if (flow.closedNs !== null) continue;
      out.emit(closeOf(flow.connection, nowNs, "close"));
      out.forgotten();
    }
  }

  function start(frame: Frame, segment: Segment): Entry<TcpFlow> {
    makeRoom(segment.timeNs);
    const syn = (segment.flags & FLAG.syn) !== 0;
    const serverIsSource = syn ? (segment.flags & FLAG.ack) !== 0 : isServerBySourcePort(frame);
    const ends = endsOf(frame, serverIsSource);
    const connection = connectionOf({
      conn: out.nextConn(),
      transport: "tcp",
      ends,
      firstNs: segment.timeNs,
      joinedMidstream: !syn,
    });
    const flow = { connection, toServer: newSide(), toClient: newSide(), closedNs: null };
    return flows.add(frame, ends, flow);
  }

  return {
    take(frame, timeNs) {
      const segment = readSegment(frame, timeNs);
      if (segment === null) return false;
      let entry = flows.find(frame);
      if (entry !== undefined && startsAnew(entry, frame, segment)) {
        const { flow } = entry;
        if (flow.closedNs === null) out.emit(closeOf(flow.connection, timeNs, "close"));
        flows.remove(entry);
        entry = undefined;
      }
      if (entry === undefined) {
        if (segment.length === 0 && (segment.flags & FLAG.syn) === 0) return true;
        entry = start(frame, segment);
      }
      if (entry.flow.closedNs !== null) return true;
      const fromServer = isFromServer(frame, entry.ends);
      takeSegment(entry.flow, fromServer, frame, segment, out);
      return true;
    },
    held: () => flows.size,
  };
}

const newSide = (): Side => ({ seq: 0, offset: 0, firstSeq: -1, finOffset: -1, finAcked: false });

function readSegment(frame: Frame, timeNs: Nanos): Segment | null {
  const { bytes, at } = frame;
  if (at + 20 > frame.end) return null;
  const payloadAt = at + ((bytes[at + 12] ?? 0) >> 4) * 4;
  if (payloadAt < at + 20 || payloadAt > frame.wireEnd) return null;
  const flags = bytes[at + 13] ?? 0;
  const syn = (flags & FLAG.syn) !== 0;
  return {
    flags,
    seq: syn ? (u32(bytes, at + 4) + 1) >>> 0 : u32(bytes, at + 4),
    ack: u32(bytes, at + 8),
    payloadAt,
    length: frame.wireEnd - payloadAt,
    timeNs,
  };
}

/** The same ports in use again: a handshake with other numbers, or data long after the end. */
function startsAnew(entry: Entry<TcpFlow>, frame: Frame, segment: Segment): boolean {
  const { flow } = entry;
  const { closedNs } = flow;
  if ((segment.flags & FLAG.syn) === 0) {
    return closedNs !== null && segment.length > 0 && segment.timeNs - closedNs > LINGER_NS;
  }
  const side = isFromServer(frame, entry.ends) ? flow.toClient : flow.toServer;
  if (side.firstSeq === -1) return closedNs !== null;
  const otherNumbers = side.firstSeq !== segment.seq;
  // A server that answers statelessly may answer twice with different numbers before any data.
  const answer = (segment.flags & FLAG.ack) !== 0;
  return otherNumbers && (closedNs !== null || !answer || side.offset > 0);
}

function takeSegment(
  flow: TcpFlow,
  fromServer: boolean,
  frame: Frame,
  segment: Segment,
  out: FlowOutputs,
): void {
  const { flags, timeNs } = segment;
  const side = fromServer ? flow.toClient : flow.toServer;
  const other = fromServer ? flow.toServer : flow.toClient;
  const syn = (flags & FLAG.syn) !== 0;
  const carries = segment.length > 0 || (flags & FLAG.fin) !== 0;
  if (side.firstSeq === -1 ? syn || carries : syn && side.offset === 0) {
    side.firstSeq = side.seq = segment.seq;
  }
  if (syn && (flags & FLAG.ack) !== 0 && other.firstSeq === -1) {
    other.firstSeq = other.seq = segment.ack;
  }
  if (carries) takeBytes(flow, side, fromServer, frame, segment, out);
  if ((flags & FLAG.ack) !== 0 && other.finOffset !== -1) {
    other.finAcked ||= offsetOf(other, segment.ack) > other.finOffset;
  }
  const reset = (flags & FLAG.rst) !== 0;
  if (!reset && !(side.finAcked && other.finAcked)) return;
  flow.closedNs = timeNs;
  out.emit(closeOf(flow.connection, timeNs, reset ? "reset" : "close"));
}

/** Sequence numbers wrap: the nearest offset to the highest one is meant. */
const offsetOf = (side: Side, seq: number): number => side.offset + ((seq - side.seq) | 0);

function takeBytes(
  flow: TcpFlow,
  side: Side,
  fromServer: boolean,
  frame: Frame,
  segment: Segment,
  out: FlowOutputs,
): void {
  const { connection } = flow;
  const direction = fromServer ? "egress" : "ingress";
  const { timeNs } = segment;
  const from = offsetOf(side, segment.seq);
  const to = from + segment.length;
  // Bytes before offset 0 were sent before the capture began and come again now.
  const cut = Math.max(0, -from);
  if (segment.length > cut) {
    const at = Math.min(segment.payloadAt + cut, frame.end);
    out.emit(eventOf({
      connection,
      direction,
      timeNs,
      streamOffset: from + cut,
      length: segment.length - cut,
      payload: frame.bytes.subarray(at, frame.end),
      seq: (segment.seq + cut) >>> 0,
      eof: false,
    }));
  }
  if (to > side.offset) {
    side.offset = to;
    side.seq = (segment.seq + segment.length) >>> 0;
  }
  if ((segment.flags & FLAG.fin) === 0 || side.finOffset !== -1 || to < 0) return;
  side.finOffset = to;
  out.emit(eventOf({
    connection,
    direction,
    timeNs,
    streamOffset: to,
    length: 0,
    payload: NOTHING,
    seq: (segment.seq + segment.length) >>> 0,
    eof: true,
  }));
}

const NOTHING = new Uint8Array();
