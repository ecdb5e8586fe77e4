// SPDX-License-Identifier: Apache-2.0
// Decodes packet by packet, in the order of the file, without TCP reassembly: one parser for the
// whole file, and the way of a packet told by the port that the first one went to. What a packet
// leaves unfinished is continued with the next one of its way.

import type { SocketEvent } from "../../model/capture_record.ts";
import { LIMITS } from "../../model/limits.ts";
import { readStep } from "../../operators/streams/read_step.ts";
import { Cursor } from "../../operators/wire/cursor.ts";
import { createMake } from "../../operators/wire/make.ts";
import type { Step, Way } from "../../operators/wire/protocol.ts";
import type { AnyProtocol, Registry } from "../../operators/wire/registry.ts";
import { decodeLine } from "./decode_line.ts";
import type { OpenLines } from "./open_lines.ts";

interface Lane {
  pending: Uint8Array;
  skip: number;
}

export class PacketDecoder {
  readonly #registry: Registry;
  readonly #lines: OpenLines;
  readonly #fixed: AnyProtocol | null;
  readonly #make = createMake();
  readonly #cursor = new Cursor();
  #protocol: AnyProtocol | null;
  #state: unknown = null;
  /** Packets to this port go to the server; -1 before the first packet. */
  #serverPort = -1;
  readonly #lanes: Record<"toServer" | "toClient", Lane> = {
    toServer: { pending: EMPTY, skip: 0 },
    toClient: { pending: EMPTY, skip: 0 },
  };

  constructor(registry: Registry, protocol: AnyProtocol | null, lines: OpenLines) {
    this.#registry = registry;
    this.#fixed = protocol;
    this.#protocol = protocol;
    this.#lines = lines;
  }

  take(event: SocketEvent): void {
    if (event.length === 0) return;
    this.#protocol ??= this.#infer(event);
    if (this.#protocol === null) return;
    if (this.#serverPort < 0) this.#serverPort = this.#findServer(this.#protocol, event);
    const way = ports(event).to === this.#serverPort ? "toServer" : "toClient";
    if (this.#state === null) this.#state = this.#protocol.open(event.connection.transport);
    const lane = this.#lanes[way];
    const hadPending = lane.pending.length > 0;
    if (this.#read(event, lane, way, concat(lane.pending, event.payload)) || !hadPending) return;
    this.#read(event, lane, way, event.payload);
  }

  #infer(event: SocketEvent): AnyProtocol | null {
    const { transport } = event.connection;
    const answer = this.#registry.ask(transport, event.payload, event.length);
    return answer.kind === "claimed" ? answer.protocol : null;
  }

  /** The first packet goes to the server, unless it looks like an answer or a greeting. */
  #findServer(protocol: AnyProtocol, event: SocketEvent): number {
    const { from, to } = ports(event);
    return protocol.probe(event.payload, event.length).kind === "response" ? from : to;
  }

  /** False when the bytes are not what the protocol allows. */
  #read(event: SocketEvent, lane: Lane, way: "toServer" | "toClient", bytes: Uint8Array): boolean {
    const clipped = event.length - event.payload.length;
    lane.pending = EMPTY;
    let at = Math.min(lane.skip, bytes.length);
    lane.skip -= at;
    let idle = 0;
    while (at < bytes.length && idle < 16) {
      const protocol = this.#protocol;
      if (protocol === null) return true;
      const cursor = this.#cursor;
      cursor.reset(bytes, at, bytes.length, bytes.length + clipped);
      const step = readStep(protocol, cursor, way satisfies Way, this.#make, this.#state);
      if (typeof step === "number") {
        if (step <= 0) return false;
        if (bytes.length - at < LIMITS.decodeBytes.value) lane.pending = bytes.slice(at);
        return true;
      }
      const passed = cursor.position;
      idle = passed > 0 || step.kind === "skip" ? 0 : idle + 1;
      at += passed;
      at += this.#step(step, event, way, passed, bytes.length - at, lane);
    }
    return true;
  }

  /** Returns how many bytes of the packet are passed over. */
  #step(
    step: Step,
    event: SocketEvent,
    way: "toServer" | "toClient",
    bytes: number,
    left: number,
    lane: Lane,
  ): number {
    switch (step.kind) {
      case "message": {
        const { message } = step;
        const placed = {
          connection: event.connection,
          toServer: way === "toServer",
          unixNs: event.emitNs,
          protocol: this.#protocol?.name ?? "",
          bytes,
        };
        const multiplexed = this.#protocol?.multiplexed === true;
        const id = multiplexed && message.id !== null ? `${message.id}` : null;
        if (!multiplexed) this.#lines.end(way, null, {});
        this.#lines.add(decodeLine(message, placed), way, id, message.more);
        return 0;
      }
      case "end":
        this.#lines.end(way, step.id === undefined ? null : `${step.id}`, step);
        return 0;
      case "skip":
        lane.skip = Math.max(0, step.bytes - left);
        return Math.min(step.bytes, left);
      case "lost":
        return left;
      case "switch":
        this.#switch(step.to, event);
        return 0;
      default:
        return 0;
    }
  }

  #switch(name: string, event: SocketEvent): void {
    if (this.#fixed !== null && name !== "" && this.#fixed.name === name) return;
    this.#protocol = this.#registry.byName(name) ?? null;
    this.#state = this.#protocol?.open(event.connection.transport) ?? null;
  }
}

const EMPTY = new Uint8Array(0);

/** By convention packets of a capture are ingress at the server's end of their flow. */
function ports({ connection, direction }: SocketEvent): { from: number; to: number } {
  const { local, peer } = connection;
  return direction === "ingress"
    ? { from: peer.port, to: local.port }
    : { from: local.port, to: peer.port };
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
