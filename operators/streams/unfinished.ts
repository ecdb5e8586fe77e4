// SPDX-License-Identifier: Apache-2.0
// Messages of which a part has come: who waits for the rest, and what is made of them where it will
// not come.

import type { Outputs } from "../../engine/operator.ts";
import type { Direction } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";
import type { DropReason } from "../../model/drops.ts";
import { LIMITS } from "../../model/limits.ts";
import type { DecodeEvent } from "../../model/message.ts";
import type { Cursor } from "../wire/cursor.ts";
import type { Fields, Make } from "../wire/protocol.ts";
import type { Claim } from "./claim.ts";
import { messageOfLane } from "./placed.ts";
import { readStep } from "./read_step.ts";

export interface Unfinished {
  /** Claims with pending bytes. */
  readonly size: number;
  /** The claim has pending bytes; of too many, the oldest is not waited for any more. */
  add(claim: Claim, connection: Connection): void;
  /** Forgets the claim, if it has no pending bytes any more. */
  settle(claim: Claim): void;
  /**
   * The bytes that a pending message waits for, if there is one, will not come: what is known of it
   * must do, as if the rest had passed without being captured.
   */
  read(connection: Connection, claim: Claim, direction: Direction): void;
  /** No bytes will come any more, on any connection. */
  finish(): void;
}

export function unfinished(
  out: Outputs<DecodeEvent, never, DropReason>,
  cursor: Cursor,
  make: Make<Fields>,
): Unfinished {
  const waiting = new Map<Claim, Connection>();

  const read = (connection: Connection, claim: Claim, direction: Direction): void => {
    const lane = direction === "ingress" ? claim.ingress : claim.egress;
    if (lane.passed === 0) return;
    const way = claim.way(connection, direction);
    cursor.reset(lane.buffer, 0, lane.held, lane.passed + LIMITS.decodeBytes.value);
    const step = readStep(claim.protocol, cursor, way, make, claim.state);
    claim.protocol.lost?.(claim.state, way);
    if (typeof step !== "number" && step.kind === "message" && lane.begun) {
      const message = { ...step.message, more: false, clipped: true };
      if (message.kind === "request") claim.noteRequest();
      out.emit(messageOfLane(connection, direction, lane, claim.protocol.name, message));
    } else out.drop("incomplete");
    lane.finish();
    lane.clearPending();
  };

  const giveUp = (claim: Claim, connection: Connection): void => {
    waiting.delete(claim);
    for (const direction of claim.inOrder(connection)) read(connection, claim, direction);
  };

  return {
    get size() {
      return waiting.size;
    },
    add(claim, connection) {
      waiting.set(claim, connection);
      if (waiting.size <= LIMITS.connections.value) return;
      for (const [oldest, its] of waiting) return giveUp(oldest, its);
    },
    settle(claim) {
      if (claim.ingress.passed + claim.egress.passed === 0) waiting.delete(claim);
    },
    read,
    finish() {
      for (const [claim, connection] of waiting) giveUp(claim, connection);
    },
  };
}
