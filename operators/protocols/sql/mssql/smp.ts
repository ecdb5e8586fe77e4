// SPDX-License-Identifier: Apache-2.0
// Sessions in one connection (MARS), by the Session Multiplex Protocol: a head before each packet.
//
//   53 | flags u8 (1 SYN, 2 ACK, 4 FIN, 8 DATA) | session u16le | bytes u32le, these 16 included
//      | sequence u32le | window u32le
//
// Packets carry no id by which an answer is known to belong to its request, so one session is read
// at a time: from its request to the end of the answer. Packets of others meanwhile are counted.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import type { Step, Way } from "../../../wire/protocol.ts";

export const SMP = 0x53;
const HEAD_BYTES = 16, DATA = 8;
const PACKET_BYTES_MAX = 65_536;

export interface Sessions {
  /** The session whose request waits for the end of its answer; -1 when none does. */
  active: number;
  /** Packets of other sessions since its request. */
  passed: number;
}

export const newSessions = (): Sessions => ({ active: -1, passed: 0 });

const NOTHING: Step = { kind: "nothing" };

/** Reads the head alone where the packet behind it is to be read, else passes both. */
export function readSmp(cursor: Cursor, way: Way, sessions: Sessions): Step {
  cursor.skip(1);
  const flags = cursor.u8();
  const session = cursor.u16le();
  const bytes = cursor.u32le();
  cursor.skip(8);
  if (bytes < HEAD_BYTES || bytes > PACKET_BYTES_MAX) throw new Malformed("no size of a packet");
  if (flags !== DATA || bytes === HEAD_BYTES) return NOTHING;
  if (sessions.active === session) return NOTHING;
  if (sessions.active < 0 && way === "toServer") {
    sessions.active = session;
    sessions.passed = 0;
    return NOTHING;
  }
  sessions.passed++;
  return { kind: "skip", bytes: bytes - HEAD_BYTES };
}
