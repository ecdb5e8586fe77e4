// SPDX-License-Identifier: Apache-2.0
// Bodies of Cassandra's responses.
//
//   [trace id, 16 bytes] [warnings] [custom payload]        where flags 2, 8 and 4 are set
//   ERROR : code u32 | text | …
//   RESULT: kind u32 (1 void, 2 rows, 3 keyspace, 4 prepared, 5 schema change) | …
//   rows  : flags u32 | columns u32 | [paging state] [metadata id] [columns …] | rows u32 | …

import type { Status } from "../../../../model/status.ts";
import { attempt } from "../../../wire/attempt.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { present } from "../../../wire/present.ts";
import type { Make, Step } from "../../../wire/protocol.ts";
import { type Envelope, PAYLOAD, readId, readPayload } from "./cassandra_request.ts";
import { CASSANDRA_FIELDS, type CassandraState, keep } from "./cassandra_session.ts";
import { errorText } from "../error_text.ts";

const ERROR = 0, RESULT = 8, EVENT = 12;
const RESPONSES: Readonly<Record<number, string>> = {
  0: "ERROR",
  2: "READY",
  3: "AUTHENTICATE",
  6: "SUPPORTED",
  8: "RESULT",
  12: "EVENT",
  14: "AUTH_CHALLENGE",
  16: "AUTH_SUCCESS",
};
const TRACING = 2, WARNINGS = 8;
const KINDS = ["", "void", "rows", "set_keyspace", "prepared", "schema_change"];

interface Found {
  code: number;
  text: string;
  kind: string;
  rows: number;
}

export function readResponse(
  cursor: Cursor,
  envelope: Envelope,
  make: Make<typeof CASSANDRA_FIELDS>,
  state: CassandraState,
): Step {
  const { opcode, stream, flags, version, more } = envelope;
  const found: Found = { code: -1, text: "", kind: "", rows: -1 };
  attempt(() => {
    if ((flags & TRACING) !== 0) cursor.skip(16);
    if ((flags & WARNINGS) !== 0) {
      for (let count = cursor.u16(); count > 0; count--) cursor.skip(cursor.u16());
    }
    if ((flags & PAYLOAD) !== 0) readPayload(cursor);
    if (opcode === ERROR) {
      found.code = cursor.i32();
      const message = cursor.textCaptured(cursor.u16(), 512);
      found.text = errorText(message, state.unmask);
    } else if (opcode === RESULT) readResult(cursor, envelope, found, state);
    else if (opcode === EVENT) found.kind = cursor.text(cursor.u16());
  });
  const type = RESPONSES[opcode] ?? "";
  const fields = present({
    result: found.kind,
    rows: found.rows < 0 ? undefined : found.rows,
    error_code: found.code < 0 ? "" : found.code.toString(16).padStart(4, "0"),
    error_message: found.text,
    stream,
    version,
  });
  if (opcode === EVENT) return make.oneway({ type, endpoint: found.kind, more, fields });
  return make.response({
    type,
    code: opcode === ERROR ? found.code : undefined,
    status: opcode === ERROR ? statusOf(found.code) : "ok",
    id: stream,
    more,
    fields,
  });
}

/** 000a protocol, 0100 credentials, 2xxx syntax, rights and the like. */
function statusOf(code: number): Status {
  return code === 0x0a || code === 0x0100 || code >= 0x2000 ? "client_error" : "server_error";
}

function readResult(
  cursor: Cursor,
  { stream, version }: Envelope,
  found: Found,
  state: CassandraState,
): void {
  const kind = cursor.u32();
  found.kind = KINDS[kind] ?? "";
  if (kind === 3) state.keyspace = cursor.text(cursor.u16());
  else if (kind === 4) {
    const id = readId(cursor);
    const sql = state.preparing.get(stream);
    if (sql !== undefined) keep(state.prepared, id, sql);
    state.preparing.delete(stream);
  } else if (kind === 2) found.rows = readRowCount(cursor, version);
}

const GLOBAL = 1, PAGED = 2, NO_METADATA = 4, CHANGED = 8;

function readRowCount(cursor: Cursor, version: number): number {
  const flags = cursor.u32();
  const columns = cursor.u32();
  if ((flags & PAGED) !== 0) cursor.skip(Math.max(0, cursor.i32()));
  if (version >= 5 && (flags & CHANGED) !== 0) cursor.skip(cursor.u16());
  if ((flags & NO_METADATA) === 0) {
    if ((flags & GLOBAL) !== 0) passTexts(cursor, 2);
    for (let i = 0; i < columns; i++) {
      passTexts(cursor, (flags & GLOBAL) !== 0 ? 1 : 3);
      passType(cursor, 0);
    }
  }
  return cursor.u32();
}

function passTexts(cursor: Cursor, count: number): void {
  for (let i = 0; i < count; i++) cursor.skip(cursor.u16());
}

/** 0 custom, 20 list, 21 map, 22 set, 30 user's own, 31 tuple; all others stand alone. */
function passType(cursor: Cursor, depth: number): void {
  if (depth > 16) throw new Malformed("types too deep");
  const type = cursor.u16();
  if (type === 0) passTexts(cursor, 1);
  else if (type === 0x20 || type === 0x22) passType(cursor, depth + 1);
  else if (type === 0x21) {
    passType(cursor, depth + 1);
    passType(cursor, depth + 1);
  } else if (type === 0x30) {
    passTexts(cursor, 2);
    for (let count = cursor.u16(); count > 0; count--) {
      passTexts(cursor, 1);
      passType(cursor, depth + 1);
    }
  } else if (type === 0x31) {
    for (let count = cursor.u16(); count > 0; count--) passType(cursor, depth + 1);
  }
}
