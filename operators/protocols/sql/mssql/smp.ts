// SPDX-License-Identifier: Apache-2.0
// Sessions in one connection (MARS), by the Session Multiplex Protocol: a head before each packet.
//
//   53 | flags u8 (1 SYN, 2 ACK, 4 FIN, 8 DATA) | session u16le | bytes u32le, these 16 included
//      | sequence u32le | window u32le
//
// Each session is a conversation of its own: one request, then its answer.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";

export const SMP = 0x53;
const HEAD_BYTES = 16, DATA = 8;
const PACKET_BYTES_MAX = 65_536;

const FIN = 4;

/** Reads the head: the session of the packet behind it, or of none where there is no packet. */
export function readSmp(cursor: Cursor, end: (session: number) => void): number | null {
  cursor.skip(1);
  const flags = cursor.u8();
  const session = cursor.u16le();
  const bytes = cursor.u32le();
  cursor.skip(8);
  if (bytes < HEAD_BYTES || bytes > PACKET_BYTES_MAX) throw new Malformed("no size of a packet");
  if (flags === FIN) end(session);
  return flags === DATA && bytes > HEAD_BYTES ? session : null;
}
