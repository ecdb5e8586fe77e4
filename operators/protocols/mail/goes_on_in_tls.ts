// SPDX-License-Identifier: Apache-2.0
// After a command that secures the connection: are these bytes TLS?
//
// They are not where someone records what is decrypted, and where the server only said that it
// could.

import type { Cursor } from "../../wire/cursor.ts";

/** A record of TLS, or the first message of SSL 2, whose length has its high bit set. */
export function goesOnInTls(cursor: Cursor): boolean {
  const first = cursor.peek();
  return (first >= 0x14 && first <= 0x17) || first >= 0x80;
}
