// SPDX-License-Identifier: Apache-2.0
// Records made of packets: data, ends of directions, ends of flows. No process is known to them.

import type { Direction, SocketClose, SocketEvent } from "../../../model/capture_record.ts";
import type { Connection } from "../../../model/connection.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import type { Nanos } from "../../../model/time.ts";

export interface Part {
  readonly connection: Connection;
  readonly direction: Direction;
  readonly timeNs: Nanos;
  readonly streamOffset: number;
  readonly length: number;
  /** Borrowed; shorter than `length` when the capture cut the packet short. */
  readonly payload: Uint8Array;
  readonly seq: number;
  readonly eof: boolean;
}

export function eventOf(part: Part): SocketEvent {
  return {
    kind: "data",
    connection: part.connection,
    program: NO_PROGRAM,
    tid: 0,
    coroutine: 0n,
    turn: 0,
    direction: part.direction,
    emitNs: part.timeNs,
    startNs: part.timeNs,
    streamOffset: part.streamOffset,
    length: part.length,
    payload: part.payload,
    seq: part.seq,
    eof: part.eof,
    via: "packet",
  };
}

export function closeOf(
  connection: Connection,
  emitNs: Nanos,
  reason: SocketClose["reason"],
): SocketClose {
  return { kind: "close", connection, emitNs, reason };
}

/** What flows need of the source they belong to. */
export interface FlowOutputs {
  readonly emit: (record: SocketEvent | SocketClose) => void;
  /** A flow was forgotten, though perhaps not over, because too many are open. */
  readonly forgotten: () => void;
  /** The next dense index of a connection. */
  readonly nextConn: () => number;
}
