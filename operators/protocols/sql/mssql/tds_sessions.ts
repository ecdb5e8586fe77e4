// SPDX-License-Identifier: Apache-2.0
// What is known of the sessions of one connection: a single one, or several by number (MARS).

import type { SqlText } from "../sql_text.ts";
import { newOutcome, type Outcome } from "./tds_response.ts";

/** One request, then its answer; and what was prepared for requests to come. */
export interface Session {
  /** A message of more than one packet is in progress in this direction. */
  readonly open: { toServer: boolean; toClient: boolean };
  /** What is known of the response in progress. */
  outcome: Outcome;
  /** What the request in progress prepares. */
  preparing: SqlText | null;
  /** Statements by their handles. */
  readonly prepared: Map<number, SqlText>;
}

/** The number of a connection's only session. */
export const ALONE = -1;
const SESSIONS_MAX = 256, PREPARED_MAX = 1_024;

export type Sessions = Map<number, Session>;

export function sessionOf(sessions: Sessions, number: number): Session {
  const known = sessions.get(number);
  if (known !== undefined) return known;
  const session: Session = {
    open: { toServer: false, toClient: false },
    outcome: newOutcome(),
    preparing: null,
    prepared: new Map(),
  };
  sessions.set(number, session);
  dropOldest(sessions, SESSIONS_MAX);
  return session;
}

/** The answer has ended: what it prepared has its handle now. */
export function noteHandle({ prepared, preparing }: Session, handle: number): void {
  if (handle === 0 || preparing === null) return;
  prepared.delete(handle);
  prepared.set(handle, preparing);
  dropOldest(prepared, PREPARED_MAX);
}

/** Bytes were lost: what was in progress has ended, nobody knows how. */
export function breakOff(sessions: Sessions): void {
  for (const { open } of sessions.values()) open.toServer = open.toClient = false;
}

function dropOldest(map: Map<number, unknown>, countMax: number): void {
  if (map.size <= countMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
