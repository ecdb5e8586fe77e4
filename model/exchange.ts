// SPDX-License-Identifier: Apache-2.0
// A request with its response(s), or a one-way message, at one observer.

import type { Connection } from "./connection.ts";
import type { Attributes, MessageSeen } from "./message.ts";
import type { Program } from "./process.ts";
import type { Shape, SpanKind, Status } from "./status.ts";
import type { Nanos } from "./time.ts";

/**
 * One exchange. The session window owns and fills it in; it is the same object in "opened",
 * "streaming" and "closed" events, and must not be changed by anyone after "closed".
 */
export interface Exchange {
  /** hash(boot id, socket identity, direction, byte position, observer): the same on replay. */
  readonly spanId: bigint;
  readonly connection: Connection;
  /**
   * The program at the observer that moved the request (or the response, if that is all there is).
   */
  readonly program: Program;
  readonly protocol: string;
  /** client: the request went out; server: it came in. */
  readonly kind: SpanKind;
  readonly request: MessageSeen | null;
  response: MessageSeen | null;
  /** Boot time of the first byte of the request: start of its call. */
  readonly startNs: Nanos;
  /** Boot time of the last byte of the response; of what ended it otherwise. */
  endNs: Nanos;
  /** Thread and turn that moved the last byte of the response; 0 while unknown. */
  endTid: number;
  endTurn: number;
  bytesRequest: number;
  bytesResponse: number;
  status: Status;
  shape: Shape;
  /** Late fields of either direction, over those of the messages. */
  lateFields: Attributes | null;
  clipped: boolean;
}

/**
 * "opened": the request's head is known; "responded": the head of the response is known;
 * "streaming": long-lived, emit a span now; "closed": final.
 */
export interface SessionEvent {
  readonly kind: "opened" | "responded" | "streaming" | "closed";
  readonly exchange: Exchange;
  readonly emitNs: Nanos;
}
