// SPDX-License-Identifier: Apache-2.0
// One protocol unit in one direction: what a protocol reader makes, and where in the stream it lay.

import type { Connection } from "./connection.ts";
import type { Direction } from "./capture_record.ts";
import type { Envelope } from "./queues/envelope.ts";
import type { Program } from "./process.ts";
import type { Status } from "./status.ts";
import type { Nanos } from "./time.ts";

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Ids that the bytes themselves carry (traceparent, b3, sw8, X-Request-ID, SQL comments …). */
export interface Identity {
  /** Trace id, lower-case hex without leading "0x"; 32 digits where the format allows. */
  readonly traceId?: string;
  /** Span id of the sender's span: the parent of whoever receives the message. */
  readonly parentId?: string;
  readonly requestId?: string;
}

/** One message as a protocol reader understands it. Empty text means "not present". */
export interface Message {
  readonly kind: "request" | "response" | "oneway";
  /** The protocol's own word for what is asked: GET, SELECT, COM_QUERY, A, PUBLISH … */
  readonly type: string;
  /** What it is asked of: path, statement, key, question name. Secrets already masked. */
  readonly resource: string;
  /** Who is asked by name: host header, database, exchange. */
  readonly domain: string;
  /** Low-cardinality name of the operation, used in span names and statistics. */
  readonly endpoint: string;
  /** The protocol's response code as a number, null where there is none. */
  readonly code: number | null;
  /** Responses and one-way messages: how it went. Requests: "unknown". */
  readonly status: Status;
  /** Id by which requests and responses pair, null where they pair by order. */
  readonly id: bigint | number | string | null;
  readonly identity: Identity | null;
  readonly fields: Attributes;
  /** True: the head is known, the rest follows and ends with an "end" step. */
  readonly more: boolean;
  /** Part of the message was not captured. */
  readonly clipped: boolean;
  /** What a message that goes through a broker is known by; absent or null for all others. */
  readonly envelope?: Envelope | null;
  /** Responses: the messages of a broker that it delivers, each one-way, in order. */
  readonly deliveries?: readonly Message[];
}

/** A message with its place in the stream and the thread that moved its first byte. */
export interface MessageSeen {
  readonly kind: "message";
  readonly connection: Connection;
  readonly program: Program;
  readonly protocol: string;
  readonly tid: number;
  readonly coroutine: bigint;
  readonly turn: number;
  readonly direction: Direction;
  readonly message: Message;
  /** Boot time: start of the call that moved the first byte. */
  readonly startNs: Nanos;
  /** Boot time: end of the call that moved the last byte so far (the head, if `more`). */
  readonly emitNs: Nanos;
  /** Stream offset of the first byte in this direction. */
  readonly offset: number;
  /** TCP sequence number of the first byte (u32), -1 when not known exactly. */
  readonly seq: number;
  /** Bytes so far, all of the message unless `more`. */
  readonly bytes: number;
  /** The thread that moved the last byte, where it is another than `tid`. */
  readonly endTid: number;
}

/** The rest of a message whose `more` was true has passed. */
export interface MessageEnd {
  readonly kind: "message_end";
  readonly connection: Connection;
  /** Which message it is, for multiplexed protocols; null: the one in progress. */
  readonly id: Message["id"];
  readonly direction: Direction;
  readonly emitNs: Nanos;
  readonly endTid: number;
  readonly turn: number;
  /** Bytes of the whole message, head included. */
  readonly bytes: number;
  /** Late fields (trailers, final status) that the protocol adds at the end. */
  readonly fields?: Attributes;
  readonly code?: number;
  readonly status?: Status;
}

/** One direction, or the whole connection, is over: open exchanges end here. */
export interface StreamEnd {
  readonly kind: "stream_end";
  readonly connection: Connection;
  readonly direction: Direction | "both";
  readonly emitNs: Nanos;
  /** "unread": bytes before `emitNs` passed unread after a loss; from here on they are read. */
  readonly reason: "eof" | "close" | "reset" | "exit" | "lost" | "unread";
}

export type DecodeEvent = MessageSeen | MessageEnd | StreamEnd;
