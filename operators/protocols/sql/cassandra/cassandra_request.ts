// SPDX-License-Identifier: Apache-2.0
// Bodies of Cassandra's requests.
//
//   QUERY  : long text | consistency u16 | …        PREPARE: long text | [flags]
//   EXECUTE: id, short bytes | [metadata id, short bytes] | consistency u16 | …
//   BATCH  : type u8 | count u16 | (kind u8 | long text or id | values u16 …) … | consistency
//   [custom payload]: count u16, (name, bytes u32 …)    where flag 4 is set

import type { Identity } from "../../../../model/message.ts";
import { attempt } from "../../../wire/attempt.ts";
import type { Cursor } from "../../../wire/cursor.ts";
import { present } from "../../../wire/present.ts";
import type { Make, Step } from "../../../wire/protocol.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import { CASSANDRA_FIELDS, type CassandraState, keep } from "./cassandra_session.ts";
import { describeSql, type SqlText } from "../sql_text.ts";

export interface Envelope {
  readonly version: number;
  readonly flags: number;
  readonly stream: number;
  readonly opcode: number;
  /** The body is longer than what is read of it. */
  readonly more: boolean;
}

const REQUESTS: Readonly<Record<number, string>> = {
  1: "STARTUP",
  4: "CREDENTIALS",
  5: "OPTIONS",
  7: "QUERY",
  9: "PREPARE",
  10: "EXECUTE",
  11: "REGISTER",
  13: "BATCH",
  15: "AUTH_RESPONSE",
};
const RESPONSES = new Set([0, 2, 3, 6, 8, 12, 14, 16]);
export const PAYLOAD = 4;
const QUERY = 7, PREPARE = 9, EXECUTE = 10, BATCH = 13;
const STATEMENT_BYTES_MAX = 4_096;

const CONSISTENCIES = [
  ...["ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM"],
  ...["SERIAL", "LOCAL_SERIAL", "LOCAL_ONE"],
];

export const isOpcode = (opcode: number, response: boolean): boolean =>
  response ? RESPONSES.has(opcode) : REQUESTS[opcode] !== undefined;

interface Found {
  sql: SqlText | null;
  consistency: string;
  statements: number;
  driver: string;
  identity: Identity | null;
}

export function readRequest(
  cursor: Cursor,
  envelope: Envelope,
  make: Make<typeof CASSANDRA_FIELDS>,
  state: CassandraState,
): Step {
  const found: Found = { sql: null, consistency: "", statements: 0, driver: "", identity: null };
  const { opcode, stream, version } = envelope;
  attempt(() => {
    if ((envelope.flags & PAYLOAD) !== 0) found.identity = readPayload(cursor);
    readBody(cursor, envelope, found, state);
  });
  const { sql, consistency, statements, driver } = found;
  if (opcode === PREPARE && sql !== null) keep(state.preparing, stream, sql);
  const name = REQUESTS[opcode] ?? "";
  const executes = opcode === QUERY || opcode === EXECUTE;
  const { keyspace } = state;
  return make.request({
    type: executes && sql !== null && sql.operation !== "" ? sql.operation : name,
    resource: sql?.text ?? "",
    domain: keyspace,
    endpoint: sql?.summary ?? name,
    id: stream,
    identity: found.identity ?? sql?.identity ?? null,
    more: envelope.more,
    fields: present({
      keyspace,
      summary: sql?.summary,
      consistency,
      statements: statements > 0 ? statements : undefined,
      driver,
      stream,
      version,
    }),
  });
}

function readBody(
  cursor: Cursor,
  { opcode, version }: Envelope,
  found: Found,
  state: CassandraState,
) {
  switch (opcode) {
    case 1:
      readStartup(cursor, found, state);
      return;
    case QUERY:
    case PREPARE:
      found.sql = readStatement(cursor, state);
      if (opcode === QUERY) found.consistency = CONSISTENCIES[cursor.u16()] ?? "";
      return;
    case EXECUTE:
      found.sql = state.prepared.get(readId(cursor)) ?? null;
      if (version >= 5) cursor.skip(cursor.u16());
      // Version 1 has the values before the consistency.
      if (version === 1) {
        for (let left = cursor.u16(); left > 0; left--) cursor.skip(Math.max(0, cursor.i32()));
      }
      found.consistency = CONSISTENCIES[cursor.u16()] ?? "";
      return;
    case BATCH:
      cursor.skip(1);
      found.statements = cursor.u16();
      if (found.statements === 0) return;
      found.sql = cursor.u8() === 0
        ? readStatement(cursor, state)
        : state.prepared.get(readId(cursor)) ?? null;
  }
}

/** The statement, or as much of it as lies in what is read. */
function readStatement(cursor: Cursor, state: CassandraState): SqlText {
  const bytes = Math.min(cursor.u32(), cursor.remaining);
  return describeSql(cursor.textCaptured(bytes, STATEMENT_BYTES_MAX), "other", state.unmask);
}

/** Short bytes as hexadecimal digits. */
export function readId(cursor: Cursor): string {
  return cursor.bytes(cursor.u16()).toHex();
}

function readStartup(cursor: Cursor, found: Found, state: CassandraState): void {
  let name = "", version = "";
  for (let count = cursor.u16(); count > 0; count--) {
    const key = cursor.text(cursor.u16());
    const value = cursor.text(cursor.u16());
    if (key === "COMPRESSION") state.compression = value.toLowerCase();
    else if (key === "DRIVER_NAME") name = value;
    else if (key === "DRIVER_VERSION") version = value;
  }
  found.driver = version === "" ? name : `${name} ${version}`;
}

/** Names and bytes that drivers attach; some put trace context there. */
export function readPayload(cursor: Cursor): Identity | null {
  const reader = new IdentityReader();
  for (let count = cursor.u16(); count > 0; count--) {
    const name = cursor.text(cursor.u16());
    const bytes = cursor.i32();
    if (bytes >= 0) reader.add(name.toLowerCase(), cursor.text(bytes));
  }
  return reader.identity();
}
