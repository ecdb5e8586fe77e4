// SPDX-License-Identifier: Apache-2.0
// Builds the socket events that a process would cause: one connection, calls in both directions,
// offsets, sequence numbers and times counted as the kernel counts them.

import type {
  Direction,
  SocketClose,
  SocketEvent,
  SocketRecord,
} from "../../../model/capture_record.ts";
import type { Connection } from "../../../model/connection.ts";
import { NO_PROGRAM, type Program } from "../../../model/process.ts";
import { MICROSECOND, MILLISECOND, type Nanos } from "../../../model/time.ts";

export interface CallOptions {
  readonly tid?: number;
  readonly turn?: number;
  /** Bytes of the payload that are captured; all if absent. */
  readonly captured?: number;
  /** Time of the call's end; 1 ms after the call before it if absent. */
  readonly atNs?: Nanos;
}

export class Conversation {
  readonly connection: Connection;
  readonly program: Program;
  nowNs: Nanos;
  readonly #offsets = { ingress: 0, egress: 0 };

  constructor(connection: Partial<Connection> = {}, startNs: Nanos = 1_000_000_000n) {
    this.connection = {
      conn: 1,
      cookie: 0x1234n,
      transport: "tcp",
      netns: 1,
      role: "client",
      local: { ip: "127.0.0.1", port: 40_000 },
      peer: { ip: "127.0.0.1", port: 80 },
      startNs,
      joinedMidstream: false,
      observer: "process",
      peerCookie: 0n,
      ...connection,
    };
    this.program = { ...NO_PROGRAM, program: 1, tgid: 100, comm: "test" };
    this.nowNs = startNs;
  }

  /** Bytes from client to server: written here if this is the client, else read. */
  up(bytes: Uint8Array | string, options?: CallOptions): SocketEvent {
    return this.call(this.connection.role === "server" ? "ingress" : "egress", bytes, options);
  }

  /** Bytes from server to client. */
  down(bytes: Uint8Array | string, options?: CallOptions): SocketEvent {
    return this.call(this.connection.role === "server" ? "egress" : "ingress", bytes, options);
  }

  call(
    direction: Direction,
    bytes: Uint8Array | string,
    { tid = 100, turn = 0, captured, atNs }: CallOptions = {},
  ): SocketEvent {
    const payload = typeof bytes === "string" ? toBytes(bytes) : bytes;
    const streamOffset = this.#offsets[direction];
    this.#offsets[direction] += payload.length;
    this.nowNs = atNs ?? this.nowNs + MILLISECOND;
    return {
      kind: "data",
      connection: this.connection,
      program: this.program,
      tid,
      coroutine: 0n,
      turn,
      direction,
      emitNs: this.nowNs,
      startNs: this.nowNs - 10n * MICROSECOND,
      streamOffset,
      length: payload.length,
      payload: payload.subarray(0, captured ?? payload.length),
      seq: this.connection.transport === "tcp" ? (1_000 + streamOffset) >>> 0 : -1,
      eof: false,
      via: "call",
    };
  }

  eof(direction: Direction): SocketEvent {
    return { ...this.call(direction, ""), eof: true };
  }

  close(reason: SocketClose["reason"] = "close"): SocketRecord {
    this.nowNs += MILLISECOND;
    return { kind: "close", connection: this.connection, emitNs: this.nowNs, reason };
  }
}

/** Each character is one byte. */
export function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
