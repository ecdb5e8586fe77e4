// SPDX-License-Identifier: Apache-2.0
// MySQL and MariaDB client/server protocol: login, text and prepared statements, result sets.
//
//   packet  : length u24le | sequence u8 | payload     sequence 0 begins a command
//   command : code u8 | …                              answer: OK 00 | ERR ff | EOF fe | result set
//   result  : column count | columns | [EOF] | rows | EOF or OK, again while MORE_RESULTS is set
//   prepared: 00 | statement u32le | columns u16le | parameters u16le | … | definitions
//
// https://mariadb.com/kb/en/clientserver-protocol/ describes the same with MariaDB's additions.

import type { Identity } from "../../../../model/message.ts";
import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import {
  CLIENT_SSL,
  COMMANDS,
  isLogin,
  ONE_WAY,
  probeMysql,
  QUERY_ATTRIBUTES,
  readHandshakeResponse,
  readQueryAttributes,
  WITH_TEXT,
} from "./mysql_packets.ts";
import { defineProtocol, type Draft, type Make, type Step } from "../../../wire/protocol.ts";
import { END_BYTES, endIdentity } from "../comment_identity.ts";
import { describeSql, type SqlText } from "../sql_text.ts";
import { parseTraceparent } from "../../../wire/trace_context.ts";
import { readServer } from "./mysql_answer.ts";
import { isCompressed, type ReadPacket, readUnit } from "./mysql_compressed.ts";
import { type F, FIELDS, newUnitLane, openSession, pass, type State } from "./mysql_session.ts";

const TEXT_BYTES_MAX = 4_096;
const INIT_DB = 2, CHANGE_USER = 17;
/** QUERY and STMT_PREPARE: what they carry is SQL. */
const STATEMENTS = new Set([3, 22]);
/** Commands whose arguments begin with the number of a statement. */
const BY_STATEMENT = new Set([23, 24, 25, 26, 28, 250]);
/** MariaDB: the statement whose PREPARE stands just before. */
const LAST_PREPARED = 0xffff_ffff;
/** A command longer than this is announced by its head; the rest is passed over. */
const WHOLE_BYTES_MAX = 16_384;

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

  open: openSession,

  read(cursor, way, make, state) {
    const side = way === "toClient" ? "toClient" : "toServer";
    const read: ReadPacket = (packets) => {
      if (side === "toClient") return readServer(packets, make, state);
      return state.tail > 0 ? readTail(packets, state) : readClient(packets, make, state);
    };
    return isCompressed(cursor, side, state) ? readUnit(cursor, side, state, read) : read(cursor);
  },

  lost(state, way) {
    if (way !== "unknown") state.units[way] = newUnitLane();
    state.loading = false;
    if (way === "toServer") state.tail = 0;
    else Object.assign(state, { phase: "head", asked: [], open: false, rows: 0 });
  },
});

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
  if (sequence > 0 && (state.loggingIn || isUnannounced(cursor, bytes, sequence, state))) {
    return readLogin(cursor, bytes, sequence, make, state);
  }
  if (state.loading) {
    state.loading = bytes > 0;
    return pass(bytes);
  }
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

/** A login whose greeting was not seen. */
function isUnannounced(cursor: Cursor, bytes: number, sequence: number, state: State): boolean {
  if (state.capabilities !== null || sequence !== 1 || bytes < 32) return false;
  cursor.need(32);
  return isLogin((offset) => cursor.peek(offset), bytes);
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
    const start = cursor.position;
    const traceparent = command === 3 && hasAttributes(cursor, state)
      ? readQueryAttributes(cursor)
      : "";
    const textBytes = start + bytes - cursor.position;
    const text = cursor.textCaptured(textBytes, TEXT_BYTES_MAX);
    if (!STATEMENTS.has(command)) {
      if (command === INIT_DB) state.database = text;
      return { ...base(state, name, null), resource: text.split("\0", 1)[0] ?? "" };
    }
    if (hasControls(text)) throw new Malformed("no statement");
    const sql = withEnd(cursor, textBytes, describeSql(text, "mysql", state.unmask));
    if (command === 22) state.preparing.push(sql);
    if (sql.operation === "USE") state.database = sql.masked.slice(4).replace(/[`;\s]/g, "");
    const draft = base(state, command === 22 ? "PREPARE" : sql.operation || name, sql);
    return traceparent === "" ? draft : { ...draft, identity: parseTraceparent(traceparent) };
  }
  if (command === CHANGE_USER) return readChangeUser(cursor, bytes, name, state);
  if (bytes < 4 || !BY_STATEMENT.has(command)) {
    cursor.skip(bytes);
    return base(state, name, null);
  }
  const id = cursor.u32le();
  cursor.skip(bytes - 4);
  const sql = (id === LAST_PREPARED ? state.preparing.at(-1) : state.statements.get(id)) ?? null;
  if (command === 25) state.statements.delete(id);
  const type = command === 23 || command === 250 ? sql?.operation || "EXECUTE" : name;
  const draft = base(state, type, sql);
  return { ...draft, fields: { ...draft.fields, statement_id: id } };
}

/** A statement of which more is there than is read may end with a comment. */
function withEnd(cursor: Cursor, bytes: number, sql: SqlText): SqlText {
  if (bytes <= TEXT_BYTES_MAX || sql.identity !== null) return sql;
  const end = cursor.position;
  let identity: Identity | null = null;
  cursor.rewind(end - END_BYTES);
  attempt(() => void (identity = endIdentity(cursor.text(END_BYTES))));
  cursor.rewind(end);
  return { ...sql, identity };
}

/** Within its first characters: no statement begins with bytes. */
const hasControls = (text: string): boolean => CONTROLS.test(text.slice(0, 16));
const CONTROLS = new RegExp("[^\\t\\n\\v\\f\\r\\x20-\\uffff]");

/** user NUL | length u8, answer to a challenge | database NUL | … */
function readChangeUser(cursor: Cursor, bytes: number, name: string, state: State): Draft<F> {
  cursor.enter(bytes);
  attempt(() => {
    state.user = cursor.cstring();
    cursor.skip(cursor.u8());
    state.database = cursor.cstring();
  });
  cursor.leave();
  return { ...base(state, name, null), resource: state.user };
}

/** Joined midway, the two counts that come first tell: no statement starts with control bytes. */
function hasAttributes(cursor: Cursor, state: State): boolean {
  if (state.announced) return ((state.capabilities ?? 0) & QUERY_ATTRIBUTES) !== 0;
  return cursor.peekOr(0) < 32 && cursor.peekOr(1) === 1;
}

function base(state: State, type: string, sql: SqlText | null): Draft<F> {
  return {
    type,
    resource: sql?.text ?? "",
    domain: state.database,
    endpoint: sql?.summary ?? type,
    identity: sql?.identity ?? null,
    fields: {
      ...(state.database !== "" && { database: state.database }),
      ...(state.user !== "" && { user: state.user }),
      ...(sql !== null && { summary: sql.summary }),
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
  state.capabilities = login.capabilities & state.offered;
  state.announced = true;
  state.user = login.user;
  state.database = login.database;
  state.phase = "login";
  const draft = base(state, "LOGIN", null);
  const version = state.version === "" ? {} : { server_version: state.version };
  return make.request({ ...draft, resource: login.user, fields: { ...draft.fields, ...version } });
}
