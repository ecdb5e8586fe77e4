// SPDX-License-Identifier: Apache-2.0
// The claim of a protocol on a connection: made by infer, used and refuted by decode.

import type { ByteRun, StreamRecord } from "../../model/byte_run.ts";
import type { Direction } from "../../model/capture_record.ts";
import type { Connection, Transport } from "../../model/connection.ts";
import type { Copied, Way } from "../wire/protocol.ts";
import type { AnyProtocol } from "../wire/registry.ts";
import { Lane } from "./lane.ts";

/** What decode asks of whoever made the claim. */
export interface ClaimOwner {
  /** From here on another protocol is spoken; "" asks all probes again. Changes the claim. */
  switchTo(claim: Claim, name: string, connection: Connection): void;
  /** Bytes after a switch to "": to be claimed anew. */
  giveBack(run: ByteRun): void;
  /** What the kernel copies of the connection is too little: copy so much from now on. */
  copyMore(connection: Connection, copied: Copied): void;
}

export class Claim {
  protocol: AnyProtocol;
  /** The protocol's own state, for both directions. */
  state: unknown;
  /** Direction of requests where the role of the socket does not tell; null while unknown. */
  requests: Direction | null;
  readonly owner: ClaimOwner;
  readonly ingress: Lane = new Lane();
  readonly egress: Lane = new Lane();
  /** Direction of the bytes that came last; null before any. */
  last: Direction | null = null;
  /** Requests that have no response yet, as far as responses can be counted. */
  owed = 0;
  /** Requests since the last response. */
  #unanswered = 0;
  /** What the kernel is to copy of the connection. */
  #copied: Copied;
  /** Messages read so far. */
  messages = 0;
  /** Malformed reads since the last message. */
  malformed = 0;
  /** A request was read. */
  asked = false;
  /** Malformed reads where requests are, while none was read. */
  #unasked = 0;
  /**
   * "refuted": the bytes speak against it, ask the others; "released": the protocol itself has
   * ended. Either way decode wants no more records under this claim.
   */
  over: "no" | "refuted" | "released" = "no";

  constructor(
    protocol: AnyProtocol,
    transport: Transport,
    requests: Direction | null,
    owner: ClaimOwner,
  ) {
    this.protocol = protocol;
    this.#copied = protocol.capture;
    this.state = protocol.open(transport);
    this.requests = requests;
    this.owner = owner;
  }

  /** From here on another protocol is spoken. */
  speak(protocol: AnyProtocol, transport: Transport): void {
    this.protocol = protocol;
    this.#copied = protocol.capture;
    this.state = protocol.open(transport);
  }

  /**
   * Counts a malformed read; too many in a row refute the claim. Responses prove nothing where
   * what asks for them cannot be read at all.
   */
  doubt(way: Way): void {
    const max = this.messages < PROVEN_MESSAGES ? MALFORMED_MAX : PROVEN_MALFORMED_MAX;
    const unasked = way === "toServer" && !this.asked && ++this.#unasked >= UNASKED_MAX;
    if (++this.malformed >= max || unasked) this.over = "refuted";
  }

  /** A request was read; true if the one before it is not answered yet. */
  noteRequest(): boolean {
    this.owed++;
    return ++this.#unanswered > 1;
  }

  noteResponse(): void {
    this.owed = Math.max(0, this.owed - 1);
    this.#unanswered = 0;
  }

  /** So much is needed of what passes: tells the owner, unless it is copied already. */
  want(copied: Copied, connection: Connection): void {
    if (COPIED.indexOf(copied) <= COPIED.indexOf(this.#copied)) return;
    this.#copied = copied;
    this.owner.copyMore(connection, copied);
  }

  /** Bytes of this run were needed that had not been copied. */
  missed({ event }: ByteRun): void {
    this.want(event.length > RECORD_BYTES ? "whole" : "all", event.connection);
  }

  way(connection: Connection, direction: Direction): Way {
    const role = connection.role;
    if (role === "client") return direction === "egress" ? "toServer" : "toClient";
    if (role === "server") return direction === "ingress" ? "toServer" : "toClient";
    if (this.requests === null) return "unknown";
    return this.requests === direction ? "toServer" : "toClient";
  }

  /** The direction of requests first, so that they are there before their responses. */
  inOrder(connection: Connection): readonly Direction[] {
    return this.way(connection, "egress") === "toServer" ? OUT_FIRST : IN_FIRST;
  }
}

/** A stream record of a connection that a protocol has claimed. */
export interface ClaimedRecord {
  readonly record: StreamRecord;
  readonly claim: Claim;
}

/** Malformed reads in a row that refute a claim; more where many messages have proven it. */
const MALFORMED_MAX = 4;
const PROVEN_MESSAGES = 8;
const PROVEN_MALFORMED_MAX = 32;
const UNASKED_MAX = 3;

/** From less to more. */
const COPIED: readonly Copied[] = ["prefix", "all", "whole"];
/** Copied of a call at most unless it is copied whole. */
const RECORD_BYTES = 16_384;

export const opposite = (direction: Direction): Direction =>
  direction === "ingress" ? "egress" : "ingress";

const OUT_FIRST: readonly Direction[] = ["egress", "ingress"];
const IN_FIRST: readonly Direction[] = ["ingress", "egress"];
