// SPDX-License-Identifier: Apache-2.0
// The content of a message, as far as its first body frame follows the header at once.
//
//   3 | channel u16 | size u32 | payload | 0xce

import type { Cursor } from "../../../wire/cursor.ts";
import { CONTENT_BYTES_MAX, isAtHand, keyOfBytes } from "../../../wire/payload/envelope.ts";

const BODY = 3;
const FRAME_HEADER_BYTES = 7;
const EMPTY = new Uint8Array(0);

/** The cursor stands behind the header and stays there. `address`: exchange and routing key. */
export function keyOfBody(
  cursor: Cursor,
  channel: number,
  bodyBytes: number,
  address: string,
): bigint | null {
  if (bodyBytes === 0) return keyOfBytes(EMPTY, 0, 0, 0, "amqp", address);
  if (!isAtHand(cursor, FRAME_HEADER_BYTES)) return null;
  const { buffer, at } = cursor;
  const isNext = buffer[at] === BODY &&
    ((buffer[at + 1] ?? 0) << 8 | (buffer[at + 2] ?? 0)) === channel;
  if (!isNext) return null;
  const looked = Math.min(bodyBytes, CONTENT_BYTES_MAX);
  const size = (buffer[at + 4] ?? 0) << 16 | (buffer[at + 5] ?? 0) << 8 | (buffer[at + 6] ?? 0);
  if (size < looked && buffer[at + 3] === 0) return null;
  if (!isAtHand(cursor, FRAME_HEADER_BYTES + looked)) return null;
  return keyOfBytes(
    cursor.buffer,
    cursor.at + FRAME_HEADER_BYTES,
    looked,
    bodyBytes,
    "amqp",
    address,
  );
}
