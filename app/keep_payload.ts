// SPDX-License-Identifier: Apache-2.0
// For users who ask for it: the captured bytes of requests and responses, as attributes of spans.
//
// Bytes are copied as they pass on their way to decode, and given to the exchange that they belong
// to when it closes. They may hold whatever programs say to each other, passwords included.

import type { ByteRun, StreamRecord } from "../model/byte_run.ts";
import type { Direction } from "../model/capture_record.ts";
import type { SessionEvent } from "../model/exchange.ts";
import { LIMITS } from "../model/limits.ts";
import type { MessageSeen } from "../model/message.ts";

export interface PayloadKeeper {
  /** Takes every record before decode does. */
  readonly remember: (record: StreamRecord) => void;
  /** Gives a closing exchange its payload. */
  readonly attach: (event: SessionEvent) => void;
}

/** Runs remembered per direction of a connection, and connections remembered. */
const RUNS_MAX = 16;
const LANES_MAX = 8_192;
/** Bytes of one message that are kept. */
const BYTES_MAX = LIMITS.textBytes.value;

interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

export function payloadKeeper(): PayloadKeeper {
  const lanes = new Map<string, Piece[]>();
  const laneOf = (conn: number, direction: Direction) => `${conn}${direction}`;
  const add = ({ connection, event, offset, length, bytes }: ByteRun): void => {
    const key = laneOf(connection.conn, event.direction);
    const pieces = lanes.get(key) ?? [];
    pieces.push({ offset, length, bytes: bytes.slice(0, BYTES_MAX) });
    if (pieces.length > RUNS_MAX) pieces.shift();
    lanes.delete(key);
    lanes.set(key, pieces);
    if (lanes.size <= LANES_MAX) return;
    for (const idlest of lanes.keys()) return void lanes.delete(idlest);
  };
  const textOf = (message: MessageSeen | null, length: number): string => {
    if (message === null) return "";
    const pieces = lanes.get(laneOf(message.connection.conn, message.direction)) ?? [];
    return payloadAt(pieces, message.offset, length);
  };
  return {
    remember(record) {
      if (record.kind === "bytes") add(record);
    },
    attach({ kind, exchange }) {
      if (kind !== "closed") return;
      exchange.lateFields = {
        ...exchange.lateFields,
        payload_request: textOf(exchange.request, exchange.bytesRequest),
        payload_response: textOf(exchange.response, exchange.bytesResponse),
      };
    },
  };
}

/** The bytes of a message as text, as far as they were captured one after the other. */
function payloadAt(pieces: readonly Piece[], offset: number, length: number): string {
  const wanted = Math.min(length, BYTES_MAX);
  const decoder = new TextDecoder();
  let text = "";
  let at = offset;
  for (const piece of pieces) {
    const skipped = at - piece.offset;
    if (skipped < 0 || skipped >= piece.length || at - offset >= wanted) continue;
    const part = piece.bytes.subarray(skipped, skipped + wanted - (at - offset));
    text += decoder.decode(part, { stream: true });
    at += part.length;
    if (skipped + part.length < piece.length) break;
  }
  return text + decoder.decode();
}
