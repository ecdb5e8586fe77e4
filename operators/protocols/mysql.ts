// SPDX-License-Identifier: Apache-2.0
// MySQL and MariaDB client/server protocol: login, text and prepared statements, result sets.
//
//   packet  : length u24le | sequence u8 | payload     sequence 0 begins a command
//   command : code u8 | …                              answer: OK 00 | ERR ff | EOF fe | result set
//   result  : column count | columns | [EOF] | rows | EOF or OK, again while MORE_RESULTS is set
//   prepared: 00 | statement u32le | columns u16le | parameters u16le | … | definitions
//
// https://mariadb.com/kb/en/clientserver-protocol/ describes the same with MariaDB's additions.

import { byteSet } from "../wire/byte_set.ts";
import { type Cursor, Malformed } from "../wire/cursor.ts";
import {
  CLIENT_SSL,
  COMMANDS,
  DEPRECATE_EOF,
  lengthEncoded,
  ONE_WAY,
  probeMysql,
  readError,
  readHandshakeResponse,
  type ServerError,
  WITH_TEXT,
} from "../wire/mysql_packets.ts";
import { defineProtocol, type Draft, type Make, type Step } from "../wire/protocol.ts";
import { describeSql, type SqlText } from "../wire/sql_text.ts";

const TEXT_BYTES_MAX = 4_096;
/** A command longer than this is announced by its head; the rest is passed over. */
const WHOLE_BYTES_MAX = 16_384;
const STATEMENTS_MAX = 1_024;
const MORE_RESULTS = 8;

const FIELDS = {
  "db.namespace": { type: "string", otel: "db.namespace", doc: "database" },
  "db.user": { type: "string", doc: "user that logged in" },
  "db.server.version": { type: "string", doc: "version in the server's greeting" },
  "db.statement.id": { type: "number", doc: "number of the prepared statement" },
  "db.query.summary": { type: "string", otel: "db.query.summary", doc: "operation and table" },
  "db.response.status_code": {
    type: "string",
    otel: "db.response.status_code",
    doc: "error number",
  },
  "db.response.sqlstate": { type: "string", doc: "SQLSTATE of an error" },
  "db.response.returned_rows": {
    type: "number",
    otel: "db.response.returned_rows",
    doc: "rows of the result sets",
  },
  "db.response.affected_rows": { type: "number", doc: "rows inserted, changed or deleted" },
  "error.message": { type: "string", doc: "the server's message" },
} as const;
type F = typeof FIELDS;

type Phase = "login" | "head" | "columns" | "rows" | "definitions";

interface State {
  database: string;
  user: string;
  version: string;
  capabilities: number | null;
  /** What the server sends next. */
  phase: Phase;
  loggingIn: boolean;
  /** Packets of columns or definitions still to come. */
  left: number;
  /** A response with `more` was made and not yet ended. */
  open: boolean;
  rows: number;
  /** Statements whose PREPARE is unanswered, and those the server has numbered. */
  preparing: SqlText[];
  statements: Map<number, SqlText>;
  /** COM codes sent and not answered: what an answer means depends on its command. */
  asked: number[];
  /** Bytes of a long command still to pass over. */
  tail: number;
}

export const mysql = defineProtocol<F, State>({
  name: "mysql",
  spec: "https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet([0, 255]),
  probe: probeMysql,

  open: () => ({
    database: "",
    user: "",
    version: "",
    capabilities: null,
    phase: "head",
    loggingIn: false,
    left: 0,
    open: false,
    rows: 0,
    preparing: [],
    statements: new Map(),
    asked: [],
    tail: 0,
  }),

  read(cursor, way, make, state) {
    if (way === "toClient") return readServer(cursor, make, state);
    if (state.tail > 0) return readTail(cursor, state);
    return readClient(cursor, make, state);
  },
});

const NOTHING: Step = { kind: "nothing" };
const pass = (bytes: number): Step => bytes === 0 ? NOTHING : { kind: "skip", bytes };

/** The rest of a long command: all but its last byte is skipped, the last one ends it. */
function readTail(cursor: Cursor, state: State): Step {
  if (state.tail > 1) {
    const bytes = state.tail - 1;
    state.tail = 1;
    return { kind: "skip", bytes };
  }
  cursor.skip(1);
  state.tail = 0;
  return { kind: "end" };
}

function readClient(cursor: Cursor, make: Make<F>, state: State): Step {
  const bytes = cursor.u24le();
  const sequence = cursor.u8();
  if (state.loggingIn && sequence > 0) return readLogin(cursor, bytes, sequence, make, state);
  if (sequence !== 0 || bytes === 0) return pass(bytes);
  const command = cursor.u8();
  const name = COMMANDS[command];
  if (name === undefined) throw new Malformed("no such command");
  state.loggingIn = false;
  const long = bytes > WHOLE_BYTES_MAX;
  const kept = Math.min(bytes - 1, long ? TEXT_BYTES_MAX : bytes - 1);
  const draft = readCommand(cursor, command, name, kept, state);
  if (long) state.tail = bytes - 1 - kept;
  if (ONE_WAY.has(command)) return make.oneway(draft);
  state.asked.push(command);
  return make.request({ ...draft, more: long, clipped: long });
}

/** Reads `bytes` of a command's arguments. */
function readCommand(
  cursor: Cursor,
  command: number,
  name: string,
  bytes: number,
  state: State,
): Draft<F> {
  if (WITH_TEXT.has(command)) {
    const text = cursor.textCaptured(bytes, TEXT_BYTES_MAX);
    if (command === 2) {
      state.database = text;
      return { ...base(state, name, null), resource: text };
    }
    const sql = describeSql(text, "mysql");
    if (command === 22) state.preparing.push(sql);
    if (sql.operation === "USE") state.database = sql.masked.slice(4).replace(/[`;\s]/g, "");
    return base(state, command === 22 ? "PREPARE" : sql.operation || name, sql);
  }
  if (bytes < 4 || command < 23 || command > 28 || command === 27) {
    cursor.skip(bytes);
    return base(state, name, null);
  }
  const id = cursor.u32le();
  cursor.skip(bytes - 4);
  const sql = state.statements.get(id) ?? null;
  if (command === 25) state.statements.delete(id);
  const type = command === 23 ? sql?.operation || "EXECUTE" : name;
  const draft = base(state, type, sql);
  return { ...draft, fields: { ...draft.fields, "db.statement.id": id } };
}

function base(state: State, type: string, sql: SqlText | null): Draft<F> {
  return {
    type,
    resource: sql?.masked ?? "",
    domain: state.database,
    endpoint: sql?.summary ?? type,
    identity: sql?.identity ?? null,
    fields: {
      ...(state.database !== "" && { "db.namespace": state.database }),
      ...(state.user !== "" && { "db.user": state.user }),
      ...(sql !== null && { "db.query.summary": sql.summary }),
    },
  };
}

/** The first packet after the greeting is the login; what follows are answers to challenges. */
function readLogin(
  cursor: Cursor,
  bytes: number,
  sequence: number,
  make: Make<F>,
  state: State,
): Step {
  if (state.capabilities !== null || sequence > 2) return pass(bytes);
  cursor.enter(bytes);
  const login = readHandshakeResponse(cursor, bytes);
  cursor.leave();
  if ((login.capabilities & CLIENT_SSL) !== 0 && bytes === 32) return { kind: "switch", to: "" };
  state.capabilities = login.capabilities;
  state.user = login.user;
  state.database = login.database;
  state.phase = "login";
  const draft = base(state, "LOGIN", null);
  const version = state.version === "" ? {} : { "db.server.version": state.version };
  return make.request({ ...draft, resource: login.user, fields: { ...draft.fields, ...version } });
}

function readServer(cursor: Cursor, make: Make<F>, state: State): Step {
  const bytes = cursor.u24le();
  const sequence = cursor.u8();
  if (bytes === 0) return NOTHING;
  const first = cursor.peek();
  if (sequence === 0 && first === 10 && state.capabilities === null) {
    return readGreeting(cursor, bytes, state);
  }
  switch (state.phase) {
    case "login":
      if (first === 0xfe || first === 0x01) return pass(bytes);
      state.loggingIn = false;
      state.phase = "head";
      return readStatus(cursor, bytes, first, make, state);
    case "head":
      return readHead(cursor, bytes, first, make, state);
    case "columns":
    case "definitions":
      return readColumn(cursor, bytes, first, state);
    case "rows":
      return readRow(cursor, bytes, first, state);
  }
}

function readGreeting(cursor: Cursor, bytes: number, state: State): Step {
  cursor.enter(bytes);
  cursor.skip(1);
  state.version = cursor.cstring();
  cursor.leave();
  state.loggingIn = true;
  return NOTHING;
}

/** OK or ERR as the whole answer. */
function readStatus(
  cursor: Cursor,
  bytes: number,
  first: number,
  make: Make<F>,
  state: State,
): Step {
  cursor.enter(bytes);
  cursor.skip(1);
  if (first === 0xff) {
    const error = errorDraft(readError(cursor));
    cursor.leave();
    return finish(state, make, error);
  }
  const affected = first === 0 && cursor.captured > 0 ? lengthEncoded(cursor) : 0;
  if (first === 0 && cursor.captured > 0) lengthEncoded(cursor);
  const status = cursor.captured >= 2 ? cursor.u16le() : 0;
  cursor.leave();
  if (first === 0 && (status & MORE_RESULTS) !== 0) return begin(state, make);
  return finish(state, make, {
    fields: affected > 0 ? { "db.response.affected_rows": affected } : {},
  });
}

function errorDraft({ errno, sqlstate, message, status }: ServerError): Draft<F> {
  return {
    code: errno,
    status,
    fields: {
      "db.response.status_code": String(errno),
      ...(sqlstate !== "" && { "db.response.sqlstate": sqlstate }),
      "error.message": message,
    },
  };
}

/** The first packet of an answer says what it is. */
function readHead(
  cursor: Cursor,
  bytes: number,
  first: number,
  make: Make<F>,
  state: State,
): Step {
  const command = state.asked[0];
  if (command === 22 && first === 0 && bytes >= 12) return readPrepared(cursor, bytes, make, state);
  if (command === 9 && first !== 0xff) {
    cursor.skip(bytes);
    return finish(state, make, { fields: {} });
  }
  if (first === 0 || first === 0xff || (first === 0xfe && bytes < 9)) {
    return readStatus(cursor, bytes, first, make, state);
  }
  if (first === 0xfb) return pass(bytes);
  cursor.enter(bytes);
  state.left = command === 4 ? 0 : lengthEncoded(cursor);
  cursor.leave();
  state.phase = "columns";
  return begin(state, make);
}

/** Makes the head of an answer of several packets, once. */
function begin(state: State, make: Make<F>): Step {
  if (state.open) return NOTHING;
  state.open = true;
  return make.response({ more: true, fields: {} });
}

/** Makes the answer, or ends the one whose head was made. */
function finish(state: State, make: Make<F>, draft: Draft<F>): Step {
  const { rows, open } = state;
  state.asked.shift();
  state.phase = "head";
  state.rows = 0;
  state.open = false;
  if (!open) return make.response(draft);
  return {
    kind: "end",
    ...(draft.code !== undefined && { code: draft.code }),
    ...(draft.status !== undefined && { status: draft.status }),
    fields: {
      ...(rows > 0 && { "db.response.returned_rows": rows }),
      ...draft.fields as Record<string, string | number>,
    },
  };
}

function readPrepared(cursor: Cursor, bytes: number, make: Make<F>, state: State): Step {
  cursor.enter(bytes);
  cursor.skip(1);
  const id = cursor.u32le();
  const [columns, parameters] = [cursor.u16le(), cursor.u16le()];
  cursor.leave();
  const sql = state.preparing.shift();
  if (sql !== undefined) state.statements.set(id, sql);
  if (state.statements.size > STATEMENTS_MAX) {
    state.statements.delete(state.statements.keys().next().value ?? id);
  }
  const eof = deprecatesEof(state) ? 0 : 1;
  state.left = (columns > 0 ? columns + eof : 0) + (parameters > 0 ? parameters + eof : 0);
  const fields = { "db.statement.id": id };
  if (state.left === 0) return finish(state, make, { fields });
  state.phase = "definitions";
  state.open = true;
  return make.response({ more: true, fields });
}

/** Unknown (joined midway) counts as "no" until an answer shows otherwise. */
const deprecatesEof = (state: State): boolean =>
  state.capabilities !== null && (state.capabilities & DEPRECATE_EOF) !== 0;

function readColumn(cursor: Cursor, bytes: number, first: number, state: State): Step {
  if (state.phase === "definitions") {
    cursor.skip(bytes);
    return --state.left > 0 ? NOTHING : finish(state, NO_MAKE, {});
  }
  if (first === 0xfe && bytes < 9) {
    state.phase = "rows";
    return pass(bytes);
  }
  if (state.left > 0) {
    state.left--;
    if (state.left === 0 && deprecatesEof(state)) state.phase = "rows";
    return pass(bytes);
  }
  // All columns are past and no EOF came: the client has asked to leave it out.
  state.phase = "rows";
  state.capabilities = (state.capabilities ?? 0) | DEPRECATE_EOF;
  return readRow(cursor, bytes, first, state);
}

function readRow(cursor: Cursor, bytes: number, first: number, state: State): Step {
  if (first === 0xff) {
    cursor.enter(bytes);
    cursor.skip(1);
    const error = errorDraft(readError(cursor));
    cursor.leave();
    return finish(state, NO_MAKE, error);
  }
  if (first !== 0xfe || bytes >= 0xffffff || (bytes >= 9 && !deprecatesEof(state))) {
    state.rows++;
    return pass(bytes);
  }
  cursor.enter(bytes);
  cursor.skip(1);
  let status: number;
  if (bytes < 9 && !deprecatesEof(state)) {
    cursor.skip(2);
    status = cursor.u16le();
  } else {
    lengthEncoded(cursor);
    lengthEncoded(cursor);
    status = cursor.u16le();
  }
  cursor.leave();
  if ((status & MORE_RESULTS) === 0) return finish(state, NO_MAKE, {});
  state.phase = "head";
  return NOTHING;
}

/** Where an answer can only be ended, never begun. */
const NO_MAKE: Make<F> = {
  request: () => NOTHING,
  response: () => NOTHING,
  oneway: () => NOTHING,
};
