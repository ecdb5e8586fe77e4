// SPDX-License-Identifier: Apache-2.0
// Messages with their place in the stream: what decode emits.

import type { ByteRun } from "../../model/byte_run.ts";
import type { Direction } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";
import type { Message, MessageEnd, MessageSeen } from "../../model/message.ts";
import type { EndStep } from "../wire/protocol.ts";
import { opposite } from "./claim.ts";
import { type Lane, seqAt } from "./lane.ts";

/** A message whose last byte so far lies in `run`, and its first one where the lane says. */
export function messageSeen(
  run: ByteRun,
  lane: Lane,
  protocol: string,
  message: Message,
  position: number,
  bytes: number,
): MessageSeen {
  const event = run.event;
  const here = !lane.begun;
  return {
    kind: "message",
    connection: run.connection,
    program: here ? event.program : lane.program,
    protocol,
    tid: here ? event.tid : lane.tid,
    coroutine: here ? event.coroutine : lane.coroutine,
    turn: here ? event.turn : lane.turn,
    direction: event.direction,
    message,
    startNs: here ? event.startNs : lane.startNs,
    // Two threads may write at once: then the last byte can seem to pass before the first one.
    emitNs: here || run.emitNs > lane.startNs ? run.emitNs : lane.startNs,
    offset: here ? run.offset + position : lane.offset,
    seq: here ? seqAt(run, position) : lane.seq,
    bytes,
    endTid: event.tid,
  };
}

/** A message all of whose bytes are pending in the lane: there will be no more of it. */
export function messageOfLane(
  connection: Connection,
  direction: Direction,
  lane: Lane,
  protocol: string,
  message: Message,
): MessageSeen {
  return {
    kind: "message",
    connection,
    program: lane.program,
    protocol,
    tid: lane.tid,
    coroutine: lane.coroutine,
    turn: lane.turn,
    direction,
    message,
    startNs: lane.startNs,
    emitNs: lane.lastNs,
    offset: lane.offset,
    seq: lane.seq,
    bytes: lane.bytes + lane.passed,
    endTid: lane.lastTid,
  };
}

/** The end of the message in progress, with the last byte of the lane. */
export function messageEnd(
  connection: Connection,
  direction: Direction,
  lane: Lane,
  late?: EndStep,
): MessageEnd {
  return {
    kind: "message_end",
    connection,
    id: late?.id ?? null,
    direction: late?.reverse === true ? opposite(direction) : direction,
    emitNs: lane.lastNs,
    endTid: lane.lastTid,
    turn: lane.lastTurn,
    bytes: late?.bytes ?? lane.bytes,
    ...(late?.fields !== undefined && { fields: late.fields }),
    ...(late?.code !== undefined && { code: late.code }),
    ...(late?.status !== undefined && { status: late.status }),
  };
}
