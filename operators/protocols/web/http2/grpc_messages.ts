// SPDX-License-Identifier: Apache-2.0
// Counts gRPC messages in DATA frames: compressed u8 | length u32 | message. They may span frames.

import type { Cursor } from "../../../wire/cursor.ts";
import type { StreamSide } from "./http2_streams.ts";

const PREFIX_BYTES = 5;

/** The cursor stands at the payload of a frame and stays there. */
export function countGrpcMessages(cursor: Cursor, length: number, side: StreamSide): void {
  if (side.messages < 0) return;
  const start = cursor.position;
  let at = Math.min(side.messageLeft, length);
  let { messages } = side;
  let left = side.messageLeft - at;
  while (at < length) {
    // The prefix must have passed, or the count would depend on how the bytes were split.
    cursor.skip(Math.min(length, at + PREFIX_BYTES));
    cursor.rewind(start);
    const size = at + PREFIX_BYTES > length ? -1 : sizeAt(cursor, at);
    if (size < 0) {
      messages = -1;
      break;
    }
    messages++;
    const end = at + PREFIX_BYTES + size;
    left = Math.max(0, end - length);
    at = Math.min(end, length);
  }
  side.messages = messages;
  side.messageLeft = left;
}

/** Length of the message whose prefix is at `at`; -1 when it was not captured or is none. */
function sizeAt(cursor: Cursor, at: number): number {
  let size = 0;
  for (let i = 1; i < PREFIX_BYTES; i++) {
    const byte = cursor.peekOr(at + i);
    if (byte < 0) return -1;
    size = size * 256 + byte;
  }
  return cursor.peekOr(at) <= 1 ? size : -1;
}
