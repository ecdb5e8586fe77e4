// SPDX-License-Identifier: Apache-2.0
// What a protocol is: data plus three functions. A protocol sees bytes and makes messages, nothing
// else.

import type { Envelope } from "../../model/queues/envelope.ts";
import type { AttributeValue, Identity, Message } from "../../model/message.ts";
import type { Status } from "../../model/status.ts";
import type { Transport } from "../../model/connection.ts";
import type { Nanos } from "../../model/time.ts";
import type { ByteSet } from "./byte_set.ts";
import type { Refinement } from "./refinement.ts";
import type { Cursor } from "./cursor.ts";

/**
 * A field of a protocol: type, OpenTelemetry attribute name where one exists, and what it holds.
 */
export interface Field {
  readonly type: "string" | "number" | "boolean";
  readonly otel?: string;
  readonly doc: string;
}

export type Fields = Readonly<Record<string, Field>>;

type ValueOf<T extends Field> = T["type"] extends "string" ? string
  : T["type"] extends "number" ? number
  : boolean;

export type FieldValues<F extends Fields> = { readonly [N in keyof F]?: ValueOf<F[N]> };

/** "toServer" carries requests. "unknown" until the role of the socket or the claim tells. */
export type Way = "toServer" | "toClient" | "unknown";

/**
 * Answer of a probe. The score (1 to 100) says how sure: 100 = a magic number that nothing else
 * has; 80 = several fields agree; 50 = plausible. The highest score claims the connection, a tie
 * waits for the next bytes. "maybe" = more bytes are needed. `kind` says whose bytes these are.
 */
export type Claim =
  | { readonly kind: "no" }
  | { readonly kind: "maybe" }
  | { readonly kind: "request" | "response" | "either"; readonly score: number };

/**
 * What one call of `read` found. Bytes the cursor passed are consumed in every case.
 * Bytes of "nothing" and "skip" steps count to the message that comes next in this direction,
 * or, between a message with `more` and its "end", to that message.
 */
export type Step =
  | MessageStep
  /** A frame was consumed that makes no message by itself. */
  | { readonly kind: "nothing" }
  /** The next `bytes` are not needed and are perhaps not captured. */
  | { readonly kind: "skip"; readonly bytes: number }
  | EndStep
  /**
   * Where this message ends cannot be known (its head was clipped): bytes are passed over until
   * the direction of the connection changes, which also ends a message with `more`.
   */
  | { readonly kind: "lost" }
  /** From the next byte on, both directions speak another protocol ("" = ask all probes again). */
  | { readonly kind: "switch"; readonly to: string };

/**
 * How much of each call: its first bytes, up to 16 KiB, or up to 256 KiB. The last is for those to
 * whom a byte that was not seen is lost for all that follows.
 */
export type Copied = "prefix" | "all" | "whole";

export interface MessageStep {
  readonly kind: "message";
  readonly message: Message;
  /** From now on all bytes of the connection should be captured. */
  readonly whole?: boolean;
}

/** The message whose `more` was true ends here, with what became known late. */
export interface EndStep {
  readonly kind: "end";
  /** Multiplexed protocols only: which message ends, and its bytes, those of its head included. */
  readonly id?: bigint | number | string;
  /** It goes the other way: whoever receives it does not want the rest. */
  readonly reverse?: boolean;
  readonly bytes?: number;
  readonly fields?: Record<string, AttributeValue>;
  readonly code?: number;
  readonly status?: Status;
}

/** What a reader gives of a message; what is left out or undefined means "not present". */
export interface Draft<F extends Fields> {
  readonly type?: string | undefined;
  readonly resource?: string | undefined;
  readonly domain?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly code?: number | undefined;
  readonly status?: Status | undefined;
  readonly id?: bigint | number | string | undefined;
  readonly identity?: Identity | null | undefined;
  readonly more?: boolean | undefined;
  readonly clipped?: boolean | undefined;
  /** From now on all bytes of the connection are of interest, whatever the protocol says. */
  readonly whole?: boolean | undefined;
  readonly fields?: FieldValues<F> | undefined;
  /** Of a message that goes through a broker; see envelope.ts. */
  readonly envelope?: Envelope | undefined;
  /** Responses: the messages that they deliver, which become one-way messages of their own. */
  readonly deliveries?: readonly Draft<F>[] | undefined;
}

/** Builds "message" steps; arguments are checked against the declared fields at compile time. */
export interface Make<F extends Fields> {
  request(draft: Draft<F>): Step;
  response(draft: Draft<F>): Step;
  oneway(draft: Draft<F>): Step;
}

/** What may be asked of a protocol, see `unmasked`. */
export interface OpenOptions {
  /** Values of statements, parameters and arguments stay in the texts; else they are masked. */
  readonly unmask: boolean;
  /** Messages that only carry on what another began are told as well. */
  readonly every?: boolean;
  /** What HTTP carries beside what is known, asked first. */
  readonly refinements?: readonly Refinement[];
}

/**
 * A protocol. `read` is called with a cursor at the first unconsumed byte of one direction and
 * reads one frame or message. A read past the bytes at hand throws TRUNCATED (it is called again
 * from the same position when more are there; what must not be parsed twice is kept in `state`),
 * a read of bytes that were not captured throws CLIPPED, nonsense throws Malformed; decode
 * catches all three, and only decode. `probe` never throws.
 */
export interface Protocol<F extends Fields = Fields, S = unknown> {
  /** Lower-case name, as OpenTelemetry writes it where it does: http, redis, postgresql … */
  readonly name: string;
  /** URL of the specification. */
  readonly spec: string;
  readonly transports: readonly Transport[];
  readonly fields: F;
  /** How long a request may wait for its response, event time. */
  readonly timeoutNs: Nanos;
  readonly pairing: "order" | "id";
  /**
   * Messages of one direction interleave (HTTP/2, AMQP): several may have `more` at a time, "end"
   * steps name theirs by id and bytes, and other steps count to no message.
   */
  readonly multiplexed?: boolean;
  /** What the kernel should copy of a claimed connection, until that proves to be too little. */
  readonly capture: Copied;
  /** Possible first bytes of a connection in either direction: tested before `probe`. */
  readonly starts: ByteSet;
  /**
   * Texts of three or more ASCII characters, in any case. Bytes that start with the first character
   * of one of them must go on as one of them does: tested before `probe`, too, as far as the third
   * character.
   */
  readonly words?: readonly string[];
  /**
   * Do these bytes, the first seen in one direction at a call boundary, look like the protocol?
   * `bytes` is what was captured, `length` what passed.
   */
  probe(bytes: Uint8Array, length: number): Claim;
  /** State per connection, shared by both directions. */
  open(transport: Transport, options?: OpenOptions): S;
  read(cursor: Cursor, way: Way, make: Make<F>, state: S): Step;
  /**
   * The place in the bytes that go `way` was lost (a gap, clipped or malformed bytes): what
   * `state` says of a message in progress there is void; the next `read` starts at a message.
   */
  lost?(state: S, way: Way): void;
}

/** Identity function that infers the types of a protocol literal. */
export function defineProtocol<const F extends Fields, S>(
  protocol: Protocol<F, S>,
): Protocol<F, S> {
  return protocol;
}
