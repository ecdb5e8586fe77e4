// SPDX-License-Identifier: Apache-2.0
// The query packet of ClickHouse.
//
//   query : id | client | settings: (name, flags varint, value) … "" | [roles] | [secret]
//           | stage varint | compression varint | text
//   client: kind u8 | user, id, address | [start u64] | interface u8 | user, host, name
//           | major, minor, revision varint | [quota] | [depth] | [patch]
//           | [1, trace 16, span 8, state, flags u8, or 0] | [replicas varint × 3]
//           | [query, line varint] | [1, token, or 0]
//
// Which of [these] are there is told by the revision that both ends know. Joined midway it is
// tried: the client's own stands in the packet, but of a query that a server hands on, that of
// another link.

import type { Identity } from "../../../model/message.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { readVarint } from "../../wire/protobuf.ts";

const TEXT_BYTES_MAX = 8_192;
const SETTINGS_MAX = 512;
export const REVISION_MIN = 50_000, REVISION_MAX = 60_000;
/** Revisions from which a field is there. */
const CLIENT_INFO = 54_032, QUOTA = 54_060, PATCH = 54_401, SETTINGS_AS_TEXT = 54_429;
const SECRET = 54_441, OPEN_TELEMETRY = 54_442, DEPTH = 54_448, START_TIME = 54_449;
const PARALLEL_REPLICAS = 54_453, ROLES = 54_472, QUERY_NUMBERS = 54_475, TOKEN = 54_476;
/** One for each shape that a packet of the last years can have. */
const REVISIONS = [PARALLEL_REPLICAS, QUERY_NUMBERS, TOKEN, ROLES, START_TIME];

export interface QueryPacket {
  readonly queryId: string;
  readonly query: string;
  readonly identity: Identity | null;
}

/** A text; longer ones than anybody writes are nonsense. */
export function text(cursor: Cursor, bytesMax = 65_536): string {
  const bytes = readVarint(cursor);
  if (bytes > bytesMax) throw new Malformed("text too long");
  return cursor.text(bytes);
}

/** `revision` is 0 where the hellos were not seen. */
export function readQueryPacket(cursor: Cursor, revision: number): QueryPacket {
  const queryId = text(cursor);
  if (revision > 0) return { queryId, ...readRest(cursor, revision) };
  const start = cursor.position;
  const own = ownRevision(cursor);
  const known = own >= START_TIME && own < REVISION_MAX;
  for (const each of known ? [own, ...REVISIONS] : REVISIONS) {
    cursor.rewind(start);
    try {
      const rest = readRest(cursor, each);
      if (STATEMENT.test(rest.query.slice(0, 32))) return { queryId, ...rest };
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
    }
  }
  throw new Malformed("a query of an unknown revision");
}

/** Letters, not bytes. */
const STATEMENT = /^[\s(]*[A-Za-z/-][\t\n\r -\uffff]*$/;

function readRest(cursor: Cursor, revision: number): Omit<QueryPacket, "queryId"> {
  const identity = revision >= CLIENT_INFO ? readClient(cursor, revision) : null;
  if (revision < SETTINGS_AS_TEXT) throw new Malformed("settings of an old form");
  for (let count = 0;; count++) {
    const name = text(cursor, 256);
    if (name === "") break;
    if (count > SETTINGS_MAX || !/^[\w.]+$/.test(name)) throw new Malformed("no setting");
    readVarint(cursor);
    text(cursor);
  }
  if (revision >= ROLES) text(cursor);
  if (revision >= SECRET) cursor.skip(lengthOf(cursor));
  if (readVarint(cursor) > 16 || readVarint(cursor) > 1) throw new Malformed("no such stage");
  return { identity, query: cursor.textCaptured(readVarint(cursor), TEXT_BYTES_MAX) };
}

function lengthOf(cursor: Cursor): number {
  const bytes = readVarint(cursor);
  if (bytes > 65_536) throw new Malformed("text too long");
  return bytes;
}

/** What the client says of itself, up to its revision. */
function ownRevision(cursor: Cursor): number {
  cursor.skip(1);
  for (let i = 0; i < 3; i++) text(cursor);
  cursor.skip(9);
  for (let i = 0; i < 3; i++) text(cursor);
  for (let i = 0; i < 2; i++) readVarint(cursor);
  return readVarint(cursor);
}

/** Who asks, and in which trace. */
function readClient(cursor: Cursor, revision: number): Identity | null {
  if (cursor.u8() === 0) return null;
  for (let i = 0; i < 3; i++) text(cursor);
  if (revision >= START_TIME) cursor.skip(8);
  if (cursor.u8() !== 1) throw new Malformed("query that came by HTTP");
  for (let i = 0; i < 3; i++) text(cursor);
  for (let i = 0; i < 3; i++) readVarint(cursor);
  if (revision >= QUOTA) text(cursor);
  if (revision >= DEPTH) readVarint(cursor);
  if (revision >= PATCH) readVarint(cursor);
  const identity = revision >= OPEN_TELEMETRY && cursor.u8() !== 0 ? readTrace(cursor) : null;
  if (revision >= PARALLEL_REPLICAS) { for (let i = 0; i < 3; i++) readVarint(cursor); }
  if (revision >= QUERY_NUMBERS) { for (let i = 0; i < 2; i++) readVarint(cursor); }
  if (revision >= TOKEN && cursor.u8() !== 0) cursor.skip(lengthOf(cursor));
  return identity;
}

function readTrace(cursor: Cursor): Identity {
  const high = cursor.u64le();
  const low = cursor.u64le();
  const hex = (value: bigint): string => value.toString(16).padStart(16, "0");
  const identity = { traceId: hex(high) + hex(low), parentId: hex(cursor.u64le()) };
  text(cursor);
  cursor.skip(1);
  return identity;
}
