// SPDX-License-Identifier: Apache-2.0
// One connection, packet by packet. What a packet leaves unfinished is continued with the next one
// of its way; where none comes before the other side answers, it is read as if it were clipped.

import type { SocketEvent } from "../../model/capture_record.ts";
import type { Transport } from "../../model/connection.ts";
import { LIMITS } from "../../model/limits.ts";
import { readStep } from "../../operators/streams/read_step.ts";
import { Cursor } from "../../operators/wire/cursor.ts";
import { createMake } from "../../operators/wire/make.ts";
import type { Step } from "../../operators/wire/protocol.ts";
import type { AnyProtocol, Registry } from "../../operators/wire/registry.ts";
import { decodeLine } from "./decode_line.ts";
import { laneOf, type OpenLines } from "./open_lines.ts";

type Way = "toServer" | "toClient";

interface Lane {
  readonly way: Way;
  /** Bytes of an unfinished message, and the packet that brought the last of them. */
  pending: Uint8Array;
  event: SocketEvent | null;
  /** Bytes to pass over, of packets to come. */
  skip: number;
  /** Bytes of frames that have made no message yet. */
  before: number;
  /** TCP sequence number that the next packet should have; -1 where not known. */
  nextSeq: number;
}

const openLane = (way: Way): Lane => ({
  way,
  pending: EMPTY,
  event: null,
  skip: 0,
  before: 0,
  nextSeq: -1,
});

const EMPTY = new Uint8Array(0);
/** More than any message has: how much of a cut packet is taken to be missing. */
const MISSING_BYTES = 2 ** 40;
/** Steps in a row that may consume nothing. */
const IDLE_MAX = 16;

export class PacketFlow {
  /** Packets to this port go to the server, if the first packet of the flow is asked. */
  readonly serverPort: number;
  readonly #registry: Registry;
  readonly #lines: OpenLines;
  readonly #make = createMake();
  readonly #cursor = new Cursor();
  readonly #lanes = { toServer: openLane("toServer"), toClient: openLane("toClient") };
  readonly #transport: Transport;
  /** Protocols that a packet has shown to be wrong; null where somebody named the protocol. */
  readonly #refuted: Set<AnyProtocol> | null;
  #protocol: AnyProtocol | null;
  #state: unknown;
  /** Messages that the protocol made. */
  #told = 0;

  constructor(
    first: SocketEvent,
    registry: Registry,
    protocol: AnyProtocol,
    isNamed: boolean,
    lines: OpenLines,
  ) {
    this.#registry = registry;
    this.#refuted = isNamed ? null : new Set();
    this.#protocol = protocol;
    this.#lines = lines;
    this.#transport = first.connection.transport;
    this.#state = protocol.open(this.#transport);
    const { from, to } = ports(first);
    const claim = protocol.probe(first.payload, first.length);
    this.serverPort = claim.kind === "response" ? from : to;
  }

  take(event: SocketEvent, way: Way): void {
    const lane = this.#lanes[way];
    this.#endWaiting(this.#lanes[way === "toServer" ? "toClient" : "toServer"], false);
    this.#passGap(lane, event);
    const { pending } = lane;
    lane.pending = EMPTY;
    if (this.#protocol === null) this.#ask(event);
    if (this.#read(event, lane, concat(pending, event.payload))) return;
    if (this.#protocol !== null) this.#protocol.lost?.(this.#state, way);
    if (pending.length > 0 && this.#read(event, lane, event.payload)) return;
    this.#doubt(event, lane);
  }

  /** What has made one message at most was guessed wrongly: another protocol may know better. */
  #doubt(event: SocketEvent, lane: Lane): void {
    if (this.#refuted === null || this.#protocol === null || this.#told > 1) return;
    this.#refuted.add(this.#protocol);
    const { payload, length } = event;
    const answer = this.#registry.settle(this.#transport, payload, length, this.#refuted);
    if (answer.kind !== "claimed") return;
    this.#use(answer.protocol);
    this.#read(event, lane, payload);
  }

  #use(protocol: AnyProtocol | null): void {
    this.#told = 0;
    this.#protocol = protocol;
    this.#state = protocol?.open(this.#transport) ?? null;
  }

  /** After a switch to what nobody named. */
  #ask(event: SocketEvent): void {
    const answer = this.#registry.settle(this.#transport, event.payload, event.length);
    if (answer.kind === "claimed") this.#use(answer.protocol);
  }

  close(): void {
    this.#endWaiting(this.#lanes.toServer, true);
    this.#endWaiting(this.#lanes.toClient, true);
  }

  /** Packets that are not in the capture, by the sequence numbers of those that are. */
  #passGap(lane: Lane, { seq, length }: SocketEvent): void {
    const gap = seq < 0 || lane.nextSeq < 0 ? 0 : (seq - lane.nextSeq) | 0;
    if (seq >= 0) lane.nextSeq = (seq + length) >>> 0;
    if (gap <= 0) return;
    if (gap <= lane.skip) {
      lane.skip -= gap;
      return;
    }
    this.#endWaiting(lane, true);
    lane.skip = 0;
    lane.pending = EMPTY;
    this.#protocol?.lost?.(this.#state, lane.way);
  }

  /** `all`: whatever it is; else a request or a response, which the other side would await. */
  #endWaiting(lane: Lane, all: boolean): void {
    const { pending, event } = lane;
    if (pending.length === 0 || event === null || this.#protocol === null) return;
    const cursor = this.#cursor;
    cursor.reset(pending, 0, pending.length, MISSING_BYTES);
    const step = readStep(this.#protocol, cursor, lane.way, this.#make, this.#state);
    if (typeof step === "number" || step.kind !== "message") return;
    if (!all && step.message.kind === "oneway") return;
    lane.pending = EMPTY;
    const beyond = cursor.position - pending.length;
    lane.skip = beyond > 0 && beyond < LIMITS.decodeBytes.value ? beyond : 0;
    this.#step(step, event, lane, Math.min(cursor.position, pending.length), 0);
    if (step.message.more) this.#protocol.lost?.(this.#state, lane.way);
  }

  /** False when the bytes are not what the protocol allows. */
  #read(event: SocketEvent, lane: Lane, bytes: Uint8Array): boolean {
    const clipped = event.length - event.payload.length;
    let at = Math.min(lane.skip, bytes.length);
    lane.skip -= at;
    let idle = 0;
    while (at < bytes.length && idle < IDLE_MAX) {
      const protocol = this.#protocol;
      if (protocol === null) return true;
      const cursor = this.#cursor;
      cursor.reset(bytes, at, bytes.length, bytes.length + clipped);
      const step = readStep(protocol, cursor, lane.way, this.#make, this.#state);
      if (typeof step === "number") {
        if (step <= 0) return false;
        if (bytes.length - at < LIMITS.decodeBytes.value) {
          lane.pending = bytes.slice(at);
          lane.event = { ...event, payload: EMPTY };
        }
        return true;
      }
      const passed = cursor.position;
      idle = passed > 0 || step.kind === "skip" ? 0 : idle + 1;
      at += passed;
      at += this.#step(step, event, lane, passed, bytes.length - at);
    }
    if (at > bytes.length) lane.skip += Math.max(0, at - bytes.length - clipped);
    return true;
  }

  /** Returns how many bytes of the packet are passed over. */
  #step(step: Step, event: SocketEvent, lane: Lane, bytes: number, left: number): number {
    switch (step.kind) {
      case "message": {
        this.#told++;
        const { message } = step;
        const { connection, emitNs: unixNs } = event;
        const protocol = this.#protocol?.name ?? "";
        const toServer = lane.way === "toServer";
        const multiplexed = this.#protocol?.multiplexed === true;
        const id = multiplexed ? message.id : null;
        const name = laneOf(connection.conn, toServer);
        if (!multiplexed) this.#lines.end(name, null, {});
        const whole = multiplexed ? bytes : lane.before + bytes;
        lane.before = 0;
        const placed = { connection, toServer, unixNs, protocol, bytes: whole };
        const line = decodeLine(message, placed);
        this.#lines.add(line, name, id, message.more);
        return 0;
      }
      case "end": {
        const toServer = (lane.way === "toServer") !== (step.reverse === true);
        const name = laneOf(event.connection.conn, toServer);
        this.#lines.end(name, step.id ?? null, step);
        // What lay between the message and its end is no part of the next one.
        lane.before = 0;
        return 0;
      }
      case "skip":
        lane.skip = Math.max(0, step.bytes - left);
        return Math.min(step.bytes, left);
      case "lost":
        return left;
      case "switch":
        this.#use(this.#registry.byName(step.to) ?? null);
        return 0;
      default:
        lane.before += bytes;
        return 0;
    }
  }
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/** By convention packets of a capture are ingress at the server's end of their flow. */
export function ports({ connection, direction }: SocketEvent): { from: number; to: number } {
  const { local, peer } = connection;
  return direction === "ingress"
    ? { from: peer.port, to: local.port }
    : { from: local.port, to: peer.port };
}
