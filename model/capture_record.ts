// SPDX-License-Identifier: Apache-2.0
// What a source emits: socket events, ends of sockets, process facts, thread activity, clock
// readings, losses.

import type { Address, Connection } from "./connection.ts";
import type { Program } from "./process.ts";
import type { Nanos } from "./time.ts";

/** Ingress is what the process reads, egress what it writes. For packets: by the receiving host. */
export type Direction = "ingress" | "egress";

/**
 * How the bytes passed: one of the ten system calls, a path with no visible buffer, or a packet.
 */
export type Via = "call" | "sendfile" | "splice" | "io_uring" | "packet";

/**
 * One system call (or one message of an mmsg call) on a socket, or one packet of a capture file.
 * `payload` is borrowed: it is valid only during the push; copy what outlives it.
 */
export interface SocketEvent {
  readonly kind: "data";
  readonly connection: Connection;
  readonly program: Program;
  readonly tid: number;
  /** Goroutine or other coroutine on whose behalf it was done, 0n when unknown. */
  readonly coroutine: bigint;
  /**
   * Counter of the thread: rises at each return from a poll call, and at each ingress of a socket
   * that is not recorded. A gap between two records ends the context of the earlier one. 0 where
   * the coroutine is known.
   */
  readonly turn: number;
  readonly direction: Direction;
  /** Boot time of the end of the call: the order of the stream. */
  readonly emitNs: Nanos;
  /** Boot time of the start of the call; equals emitNs when unknown, and for reads, which wait. */
  readonly startNs: Nanos;
  /** Bytes before this event in this direction of this socket; datagrams count as bytes, too. */
  readonly streamOffset: number;
  /** Bytes that passed. 0 with `eof`. */
  readonly length: number;
  /** The first bytes of what passed: payload.length <= length; shorter means clipped. */
  readonly payload: Uint8Array;
  /** TCP sequence number of the first byte (u32), or -1 when not known exactly. */
  readonly seq: number;
  /** The peer of this datagram where the socket is not connected; absent otherwise. */
  readonly peer?: Connection["peer"];
  /** End of the stream in this direction: a read returned 0, or a FIN packet. */
  readonly eof: boolean;
  readonly via: Via;
}

/** The end of a socket: no record of it follows. */
export interface SocketClose {
  readonly kind: "close";
  readonly connection: Connection;
  readonly emitNs: Nanos;
  /** "reset" when an RST was sent or received, "exit" when the last owner died, else "close". */
  readonly reason: "close" | "reset" | "exit";
}

/** A fact about a process. `program` carries what is known after it. */
export interface ProcessFact {
  readonly kind: "process";
  readonly what: "seen" | "fork" | "exec" | "exit";
  readonly program: Program;
  readonly emitNs: Nanos;
  /** On exit: the status as wait(2) gives it. */
  readonly exitStatus?: number;
}

/** A fact about a thread that is not socket I/O. */
export interface Activity {
  readonly kind: "activity";
  readonly what: "turn" | "wakeup" | "thread_exit";
  readonly program: Program;
  readonly tid: number;
  readonly turn: number;
  readonly emitNs: Nanos;
  /** Wake-ups: the woken thread of the same process. */
  readonly wokenTid?: number;
}

/**
 * Added to the number of a coroutine that had sent something right before the one named before it
 * in a line was started: most likely by it.
 */
export const LIKELY_STARTER = 1n << 63n;

/**
 * From this number up to twice of it: contexts of a program that says itself for which request it
 * writes. One thread has many of them in hand, and reads for all.
 */
export const FIRST_CONTEXT = 1n << 46n;

export const isContext = (coroutine: bigint): boolean =>
  coroutine >= FIRST_CONTEXT && coroutine < 2n * FIRST_CONTEXT;

/** A coroutine, and when it was started, or first seen; 0 when that is not known. */
export interface CoroutineBirth {
  readonly coroutine: bigint;
  readonly bornNs: Nanos;
}

/**
 * What a coroutine does for a connection of which the program keeps this object: it reads all that
 * comes, or works on the request of one stream, or sends one. Or it works on what the next in its
 * line has given to it, when it was "born" of that; nobody's where there is no next one.
 */
export type CoroutineTask =
  | { readonly what: "given"; readonly isLooping: boolean }
  | { readonly what: "reads"; readonly object: bigint }
  | { readonly what: "handles" | "sends"; readonly object: bigint; readonly stream: number }
  /** A context begins with a request of the connection of this cookie; stream 0: the next one. */
  | { readonly what: "begins"; readonly object: bigint; readonly stream: number };

/** Who started a coroutine: told once, before the first event that bears its id. */
export interface CoroutineFact {
  readonly kind: "coroutine";
  readonly program: Program;
  /** Itself, who started it, who started that one, as far as it is known. */
  readonly line: readonly CoroutineBirth[];
  /** What it does from now on, where that is told apart. */
  readonly task?: CoroutineTask;
  readonly emitNs: Nanos;
}

/** A thread begins to connect a TCP socket, of which no other record has come yet. */
export interface ConnectFact {
  readonly kind: "connect";
  readonly program: Program;
  readonly tid: number;
  readonly turn: number;
  /** Of the socket: see Connection. */
  readonly cookie: bigint;
  readonly peer: Address;
  readonly emitNs: Nanos;
}

/** One reading of both clocks: realNs is Unix time at bootNs. */
export interface ClockRecord {
  readonly kind: "clock";
  readonly emitNs: Nanos;
  readonly bootNs: Nanos;
  readonly realNs: Nanos;
}

/** Records that the source knows it lost, by reason, since the last such record. */
export interface LossRecord {
  readonly kind: "loss";
  readonly emitNs: Nanos;
  readonly reason: string;
  readonly count: number;
}

export type SocketRecord = SocketEvent | SocketClose;
export type Fact =
  | ProcessFact
  | Activity
  | CoroutineFact
  | ConnectFact
  | ClockRecord
  | LossRecord;
export type CaptureRecord = SocketRecord | Fact;

export function isSocketRecord(record: CaptureRecord): record is SocketRecord {
  return record.kind === "data" || record.kind === "close";
}

export function isFact(record: CaptureRecord): record is Fact {
  return record.kind !== "data" && record.kind !== "close";
}
