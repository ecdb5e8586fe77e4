// SPDX-License-Identifier: Apache-2.0
// Buffers that a security layer of SASL makes of LDAP messages: length u32 | token | message …
//
// Where they are signed, the messages behind the token are plain; where they are sealed, nothing
// can be read. Sources: RFC 4513, RFC 4121 (Kerberos), MS-NLMP (NTLM).

import { type Cursor, Malformed } from "../../wire/cursor.ts";
import type { Step } from "../../wire/protocol.ts";

/** Of a buffer so much is looked at: the token, and how the message behind it begins. */
const HEAD_BYTES = 64;
const TOKEN_BYTES = 16;
/** Tag and length of a message, and the tag of its id. */
const START_BYTES = 8;

/** Passes the length and the token of a signed buffer, and all of a sealed one. */
export function passToken(cursor: Cursor, bytesMax: number): Step {
  const bytes = cursor.u32();
  if (bytes < 1 || bytes > bytesMax) throw new Malformed("not a message");
  const head = Math.min(bytes, HEAD_BYTES);
  cursor.need(head);
  const at = head < TOKEN_BYTES ? 0 : messageAt(cursor, head);
  if (at === 0) return { kind: "skip", bytes };
  cursor.skip(at);
  return { kind: "nothing" };
}

/** 0 where nothing behind the token looks like a message. */
function messageAt(cursor: Cursor, head: number): number {
  let at = 0;
  if (cursor.peek() === 0x05 && cursor.peek(1) === 0x04) {
    const checksum = (cursor.peek(4) << 8) | cursor.peek(5);
    const rotated = (cursor.peek(6) << 8) | cursor.peek(7);
    // Only with the checksum in front does the buffer end where its messages do.
    if (checksum === rotated) at = TOKEN_BYTES + checksum;
  } else if (cursor.peek() === 0x01 && cursor.peek(1) === 0) at = TOKEN_BYTES;
  if (at === 0 || at + START_BYTES > head || cursor.peek(at) !== 0x30) return 0;
  const length = cursor.peek(at + 1);
  const id = at + 2 + (length < 0x80 ? 0 : length & 7);
  return cursor.peek(id) === 0x02 ? at : 0;
}
