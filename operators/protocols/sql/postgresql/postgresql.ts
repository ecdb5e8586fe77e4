// SPDX-License-Identifier: Apache-2.0
// PostgreSQL frontend/backend protocol 3: simple and extended query, pipelined, COPY, cancel.
//
//   every message : tag u8 | length u32 (itself included, the tag not) | body
//   first message : length u32 | code u32 (196608 = 3.0, 80877102…4 = cancel, SSL, GSS) | body
//
// One exchange is one simple query (answered by ReadyForQuery), one Execute (answered by
// CommandComplete or what stands for it), or a batch that only prepares. After an error the server
// skips to the next Sync: what was asked in between is answered as "aborted".

import { byteSet } from "../../../wire/byte_set.ts";
import type { Cursor } from "../../../wire/cursor.ts";
import { Malformed } from "../../../wire/cursor.ts";
import {
  BACKEND,
  CANCEL,
  FRONTEND,
  GSS,
  probePostgresql,
  readHeader,
  SSL,
} from "./postgresql_frames.ts";
import { defineProtocol, type Draft, type Make, type Step } from "../../../wire/protocol.ts";
import { END_BYTES, endIdentity } from "../comment_identity.ts";
import { errorText } from "../error_text.ts";
import { describeSql, type SqlText } from "../sql_text.ts";
import { type F, FIELDS, keep, openSession, type State, type Unit } from "./postgresql_session.ts";

const TEXT_BYTES_MAX = 4_096;
const PENDING_MAX = 4_096;

export const postgresql = defineProtocol<F, State>({
  name: "postgresql",
  spec: "https://www.postgresql.org/docs/current/protocol.html",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet(0, FRONTEND, BACKEND),
  probe: probePostgresql,

  open: openSession,

  read(cursor, way, make, state) {
    if (state.encrypted === null && way !== "toClient") state.encrypted = cursor.peek() === 0x16;
    if (state.encrypted === true) return { kind: "switch", to: "tls" };
    if (way === "toClient") return readBackend(cursor, make, state);
    // No other message begins with 0.
    if (cursor.peek() === 0) return readFirst(cursor, make, state);
    return readFrontend(cursor, make, state);
  },

  lost(state, way) {
    state.preparing = null;
    state.executed = false;
    state.asking = false;
    state.answering = false;
    if (way === "toServer") return;
    state.pending.length = 0;
    state.readies = state.syncs;
    state.error = null;
  },
});

const NOTHING: Step = { kind: "nothing" };
const END: Step = { kind: "end" };
const SYNC = 0x53, FLUSH = 0x48, READY = 0x5a;
const pass = (bytes: number): Step => bytes === 0 ? NOTHING : { kind: "skip", bytes };

function expect(state: State, unit: Unit): void {
  state.pending.push({ unit, sync: state.syncs });
  if (state.pending.length > PENDING_MAX) state.pending.shift();
}

function readFirst(cursor: Cursor, make: Make<F>, state: State): Step {
  const bytes = cursor.u32() - 4;
  if (bytes < 4 || bytes > 10_000) throw new Malformed("no startup message is this long");
  cursor.enter(bytes);
  const code = cursor.u32();
  if (code === SSL || code === GSS) {
    cursor.leave();
    expect(state, "encryption");
    return make.request({ type: code === SSL ? "SSLREQUEST" : "GSSENCREQUEST" });
  }
  if (code === CANCEL) {
    cursor.leave();
    return make.oneway({ type: "CANCEL" });
  }
  if (code >> 16 !== 3) throw new Malformed("protocol version is not 3");
  while (cursor.captured > 1 && cursor.peek() !== 0) {
    const name = cursor.cstring();
    const value = cursor.cstring();
    if (name === "user") state.user = value;
    if (name === "database") state.database = value;
  }
  if (state.database === "") state.database = state.user;
  cursor.leave();
  expect(state, "startup");
  return make.request({
    type: "STARTUP",
    domain: state.database,
    endpoint: "STARTUP",
    fields: { database: state.database, user: state.user },
  });
}

function readFrontend(cursor: Cursor, make: Make<F>, state: State): Step {
  const next = cursor.peek();
  if (state.asking && next !== SYNC && next !== FLUSH) {
    state.asking = false;
    return END;
  }
  const { tag, bytes } = readHeader(cursor, FRONTEND);
  switch (tag) {
    case "Q": {
      const sql = readSql(cursor, bytes, state);
      expect(state, "query");
      state.syncs++;
      return make.request(requestOf(state, sql, ""));
    }
    case "F":
      cursor.skip(bytes);
      expect(state, "query");
      state.syncs++;
      return make.request({ ...requestOf(state, null, ""), type: "FUNCTION_CALL" });
    case "P": {
      cursor.enter(bytes);
      const name = cursor.cstring();
      const text = readText(cursor, state);
      cursor.leave();
      keep(state.statements, name, text);
      state.preparing = text;
      return NOTHING;
    }
    case "B": {
      cursor.enter(bytes);
      const portal = cursor.cstring();
      const statement = cursor.cstring();
      cursor.leave();
      keep(state.portals, portal, { sql: state.statements.get(statement) ?? null, statement });
      return NOTHING;
    }
    case "E": {
      cursor.enter(bytes);
      const portal = state.portals.get(cursor.find(0) < 0 ? "" : cursor.cstring());
      cursor.leave();
      expect(state, "execute");
      state.executed = true;
      state.preparing = null;
      state.asking = true;
      const draft = requestOf(state, portal?.sql ?? null, portal?.statement ?? "");
      return make.request({ ...draft, more: true });
    }
    case "S": {
      cursor.skip(bytes);
      const prepared = state.executed ? null : state.preparing;
      if (prepared !== null) expect(state, "prepare");
      state.syncs++;
      state.executed = false;
      state.preparing = null;
      if (state.asking) {
        state.asking = false;
        return END;
      }
      if (prepared === null) return NOTHING;
      return make.request({ ...requestOf(state, prepared, ""), type: "PREPARE" });
    }
    default:
      return pass(bytes);
  }
}

/** Statement text at the cursor, up to its NUL or to what is kept of a long one. */
function readText(cursor: Cursor, state: State): SqlText {
  const start = cursor.position;
  const end = cursor.find(0);
  const text = cursor.textCaptured(end < 0 ? cursor.remaining : end, TEXT_BYTES_MAX);
  const sql = describeSql(text, "postgresql", state.unmask);
  if (end <= TEXT_BYTES_MAX || sql.identity !== null) return sql;
  cursor.rewind(start + end - END_BYTES);
  return { ...sql, identity: endIdentity(cursor.text(END_BYTES)) };
}

function readSql(cursor: Cursor, bytes: number, state: State): SqlText {
  cursor.enter(bytes);
  const text = readText(cursor, state);
  cursor.leave();
  return text;
}

function requestOf(state: State, sql: SqlText | null, statement: string): Draft<F> {
  return {
    type: sql === null ? "EXECUTE" : sql.operation || "EMPTY",
    resource: sql?.text ?? "",
    domain: state.database,
    endpoint: sql?.summary ?? "",
    identity: sql?.identity ?? null,
    fields: {
      ...(state.database !== "" && { database: state.database }),
      ...(state.user !== "" && { user: state.user }),
      ...(statement !== "" && { statement: statement }),
      ...(sql !== null && { summary: sql.summary }),
    },
  };
}

/** S: TLS follows; N: it does not. Where the byte was not captured, what follows tells. */
function readAgreement(cursor: Cursor, make: Make<F>, state: State): Step {
  const captured = cursor.captured > 0;
  const answer = captured ? cursor.peek() : -1;
  cursor.skip(1);
  state.pending.shift();
  state.encrypted = captured ? answer === 0x53 : null;
  return make.response({ fields: {}, ...(answer === 0x45 && { status: "server_error" }) });
}

function readBackend(cursor: Cursor, make: Make<F>, state: State): Step {
  const next = state.pending[0];
  if (next?.unit === "encryption") return readAgreement(cursor, make, state);
  if (next !== undefined && next.sync < state.readies) return aborted(make, state);
  const ready = cursor.peek() === READY;
  if (state.answering && !(ready && (next === undefined || next.sync > state.readies))) {
    state.answering = false;
    return END;
  }
  const { tag, bytes } = readHeader(cursor, BACKEND);
  switch (tag) {
    case "C":
      readCommand(cursor, bytes, state);
      return next?.unit === "execute" ? answer(make, state, true) : NOTHING;
    case "I":
    case "s":
      cursor.skip(bytes);
      return next?.unit === "execute" ? answer(make, state, true) : NOTHING;
    case "E":
      readError(cursor, bytes, state);
      if (next === undefined && state.error?.fatal !== true) return NOTHING;
      return answer(make, state, next?.unit !== "startup" && state.error?.fatal !== true);
    case "Z":
      return readReady(cursor, bytes, make, state);
    case "D":
      state.received++;
      return pass(bytes);
    case "A":
      return readNotification(cursor, bytes, make);
    default:
      return pass(bytes);
  }
}

/**
 * ReadyForQuery answers a simple query, a startup, a batch that only prepared; it ends the answer
 * before it; and what is still unanswered before its Sync was skipped.
 */
function readReady(cursor: Cursor, bytes: number, make: Make<F>, state: State): Step {
  if (bytes !== 1) throw new Malformed("ReadyForQuery has one byte");
  cursor.skip(1);
  const next = state.pending[0];
  if (next?.unit === "startup") return answer(make, state, false);
  state.readies = next === undefined ? state.syncs : state.readies + 1;
  if (state.answering) {
    state.answering = false;
    return END;
  }
  if (next === undefined) {
    return state.commands > 0 || state.error !== null ? answer(make, state, false) : NOTHING;
  }
  if (next.sync >= state.readies) return NOTHING;
  return next.unit === "execute" ? aborted(make, state) : answer(make, state, false);
}

/** What the server skipped after an error. */
function aborted(make: Make<F>, state: State): Step {
  state.pending.shift();
  return make.response({
    status: "client_error",
    fields: { sqlstate: "25P02", error_message: "skipped after an error" },
  });
}

function answer(make: Make<F>, state: State, more: boolean): Step {
  state.pending.shift();
  const { error, received } = state;
  const rows = state.rows < 0 && received > 0 ? received : state.rows;
  state.error = null;
  state.rows = -1;
  state.received = 0;
  state.commands = 0;
  state.answering = more;
  return make.response({
    status: error === null ? "ok" : statusOf(error.code),
    more,
    fields: error === null
      ? rows >= 0 ? { rows } : {}
      : { sqlstate: error.code, error_message: error.message },
  });
}

/** `INSERT 0 5`, `SELECT 3`, `BEGIN`: the last word counts rows. */
function readCommand(cursor: Cursor, bytes: number, state: State): void {
  cursor.enter(bytes);
  const rows = / (\d{1,15})$/.exec(cursor.cstring())?.[1];
  cursor.leave();
  state.commands++;
  if (rows !== undefined) state.rows = Number(rows);
}

/** Fields by letter, each a NUL-terminated text: S and V = severity, C = SQLSTATE, M = message. */
function readError(cursor: Cursor, bytes: number, state: State): void {
  const error = { code: "", message: "", fatal: false };
  cursor.enter(bytes);
  while (cursor.captured > 1 && cursor.peek() !== 0) {
    const letter = cursor.u8();
    const text = cursor.cstring();
    if (letter === 0x53 || letter === 0x56) error.fatal ||= text === "FATAL" || text === "PANIC";
    if (letter === 0x43) error.code = text;
    if (letter === 0x4d) error.message = errorText(text, state.unmask);
  }
  cursor.leave();
  state.error = error;
}

function readNotification(cursor: Cursor, bytes: number, make: Make<F>): Step {
  cursor.enter(bytes);
  cursor.skip(4);
  const channel = cursor.cstring();
  cursor.leave();
  return make.oneway({ type: "NOTIFICATION", resource: channel, endpoint: channel });
}

/** SQLSTATE classes of failures that are the server's or the system's. */
const SERVER_CLASSES = new Set(["08", "53", "54", "55", "57", "58", "F0", "XX"]);

const statusOf = (sqlstate: string) =>
  SERVER_CLASSES.has(sqlstate.slice(0, 2)) ? "server_error" as const : "client_error" as const;
