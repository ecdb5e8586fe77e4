// SPDX-License-Identifier: Apache-2.0
// Texts of SMTP and POP3, which end with a line of nothing but a dot. Lines may be of any length.

import type { Cursor } from "../../wire/cursor.ts";

/** Of a line that goes on beyond this, the part at hand is passed. */
const PART_BYTES_MAX = 8_192;

export interface DotLines {
  /** The beginning of the line has been passed. */
  inLine: boolean;
}

/** Passes a line, or a part of a long one; true when it was the dot. */
export function passDotLine(cursor: Cursor, lines: DotLines): boolean {
  const bytes = cursor.find(0x0a);
  if (bytes < 0) {
    if (cursor.captured <= PART_BYTES_MAX) cursor.need(cursor.captured + 1);
    cursor.skip(PART_BYTES_MAX);
    lines.inLine = true;
    return false;
  }
  const dot = !lines.inLine && cursor.peek() === 0x2e &&
    (bytes === 1 || (bytes === 2 && cursor.peek(1) === 0x0d));
  cursor.skip(bytes + 1);
  lines.inLine = false;
  return dot;
}
