// SPDX-License-Identifier: Apache-2.0
// Operator: socket events to runs of bytes in stream order, per connection and direction.
//
// Events of a process come in order but for rare inversions, packets of a capture in any order,
// repeated and overlapping. What comes early is held until the bytes before it have come, or the
// wait is over; what never comes is a gap. Datagrams pass through.

import type { Operator, Outputs, Stage } from "../engine/operator.ts";
import type { ByteRun, StreamRecord } from "../model/byte_run.ts";
import type { SocketClose, SocketEvent, SocketRecord } from "../model/capture_record.ts";
import type { DropReason } from "../model/drops.ts";
import { LIMITS } from "../model/limits.ts";
import { HOUR, MILLISECOND, MINUTE, type Nanos, SECOND } from "../model/time.ts";
import { ConnectionStates } from "./streams/connection_states.ts";
import { datagramPeers } from "./streams/datagram_peers.ts";
import { HeldSegments } from "./streams/held_segments.ts";

export const reassemble: Operator<SocketRecord, StreamRecord, void, never, DropReason> = {
  name: "reassemble",
  limits: ["connections", "reorderBytes"],
  open: (_params, out) => openStage(out),
};

type Out = Outputs<StreamRecord, never, DropReason>;

/** How long an early event waits for the one before it. Packets: a retransmission takes that. */
const WAIT_NS: Nanos = 5n * MILLISECOND;
const PACKET_WAIT_NS: Nanos = SECOND;

/** Sockets whose end was not told are forgotten after this time without bytes; TCP's is told. */
const IDLE_NS: Nanos = 10n * MINUTE;
const TCP_IDLE_NS: Nanos = 2n * HOUR;
const SWEEP_NS: Nanos = MINUTE;

interface Streams {
  used: number;
  readonly tcp: boolean;
  lastNs: Nanos;
  readonly ingress: Stream;
  readonly egress: Stream;
}

interface Stream {
  /** Offset of the next byte to hand on. */
  next: number;
  held: HeldSegments | null;
}

function openStage(out: Out): Stage<SocketRecord> {
  const holding = new Set<Stream>();
  const states = new ConnectionStates<Streams>((state) => {
    out.drop("connections_full");
    for (const stream of [state.ingress, state.egress]) release(stream, holding, out);
  });
  const peers = datagramPeers();
  let sweepNs: Nanos = 0n;

  const push = (record: SocketRecord): void => {
    if (record.kind === "close") return close(record);
    if (record.connection.transport === "udp") return void out.emit(peers.run(record));
    const conn = record.connection.conn;
    const streams = states.get(conn) ?? states.add(conn, newStreams(record));
    streams.lastNs = record.emitNs;
    const stream = record.direction === "ingress" ? streams.ingress : streams.egress;
    if (record.streamOffset === stream.next && stream.held === null) {
      stream.next += record.length;
      if (record.length > 0) out.emit(runOf(record, record.streamOffset, 0));
      if (record.eof) emitEof(record, out);
    } else unordered(stream, record, holding, out);
  };

  const close = (record: SocketClose): void => {
    const { connection, emitNs, reason } = record;
    const streams = states.get(connection.conn);
    if (streams !== undefined) {
      release(streams.ingress, holding, out);
      release(streams.egress, holding, out);
      states.remove(connection.conn);
    }
    for (const derived of peers.close(connection)) {
      out.emit({ kind: "stream_end", connection: derived, direction: "both", emitNs, reason });
    }
    out.emit({ kind: "stream_end", connection, direction: "both", emitNs, reason });
  };

  return {
    push,
    advance(watermarkNs) {
      for (const stream of holding) {
        if (stream.held !== null && stream.held.dueNs <= watermarkNs) {
          release(stream, holding, out);
        }
      }
      if (watermarkNs >= sweepNs) {
        sweep(states, watermarkNs);
        sweepNs = watermarkNs + SWEEP_NS;
      }
    },
    end() {
      for (const stream of holding) release(stream, holding, out);
    },
    held: () => states.size,
    watermark(watermarkNs) {
      let oldest = watermarkNs;
      for (const { held } of holding) {
        if (held !== null && held.oldestNs < oldest) oldest = held.oldestNs;
      }
      return oldest;
    },
  };
}

function sweep(states: ConnectionStates<Streams>, watermarkNs: Nanos): void {
  for (const [conn, { tcp, lastNs }] of states.entries()) {
    if (lastNs + (tcp ? TCP_IDLE_NS : IDLE_NS) < watermarkNs) states.remove(conn);
  }
}

const newStreams = (event: SocketEvent): Streams => ({
  used: 0,
  tcp: event.connection.transport === "tcp",
  lastNs: event.emitNs,
  ingress: { next: 0, held: null },
  egress: { next: 0, held: null },
});

/** An event that is not the next one, or comes while others wait. */
function unordered(stream: Stream, event: SocketEvent, holding: Set<Stream>, out: Out): void {
  if (event.streamOffset > stream.next) {
    const waitNs = event.via === "packet" ? PACKET_WAIT_NS : WAIT_NS;
    stream.held ??= new HeldSegments(waitNs);
    stream.held.add(event);
    holding.add(stream);
    if (stream.held.bytes > LIMITS.reorderBytes.value) {
      out.drop("reorder_full");
      release(stream, holding, out);
    }
    return;
  }
  handOn(stream, event, event.payload, 0, out);
  drain(stream, holding, out);
}

/** Hands on what of the event lies at or after the next byte. */
function handOn(
  stream: Stream,
  event: SocketEvent,
  payload: Uint8Array,
  gap: number,
  out: Out,
): void {
  const seen = stream.next - event.streamOffset;
  if (seen < event.length) {
    const offset = stream.next;
    stream.next = event.streamOffset + event.length;
    const bytes = seen === 0 ? payload : payload.subarray(Math.min(seen, payload.length));
    out.emit(runOf(event, offset, gap, bytes));
  } else if (event.length > 0 && event.via !== "packet") out.drop("late");
  if (event.eof) emitEof(event, out);
}

/** Hands on the held segments whose turn has come. */
function drain(stream: Stream, holding: Set<Stream>, out: Out): void {
  const held = stream.held;
  if (held === null) return;
  for (let segment = held.first; segment !== undefined; segment = held.first) {
    if (segment.event.streamOffset > stream.next) return;
    held.shift();
    handOn(stream, segment.event, segment.payload, 0, out);
  }
  stream.held = null;
  holding.delete(stream);
}

/** Waits no longer: hands on all that is held, with the gaps that are in it. */
function release(stream: Stream, holding: Set<Stream>, out: Out): void {
  const held = stream.held;
  if (held === null) return;
  for (let segment = held.shift(); segment !== undefined; segment = held.shift()) {
    const gap = Math.max(0, segment.event.streamOffset - stream.next);
    stream.next += gap;
    handOn(stream, segment.event, segment.payload, gap, out);
  }
  stream.held = null;
  holding.delete(stream);
}

function runOf(
  event: SocketEvent,
  offset: number,
  gap: number,
  bytes: Uint8Array = event.payload,
): ByteRun {
  return {
    kind: "bytes",
    connection: event.connection,
    event,
    offset,
    gap,
    length: event.length - (offset - event.streamOffset),
    bytes,
    emitNs: event.emitNs,
  };
}

function emitEof(event: SocketEvent, out: Out): void {
  const { connection, direction, emitNs } = event;
  out.emit({ kind: "stream_end", connection, direction, emitNs, reason: "eof" });
}
