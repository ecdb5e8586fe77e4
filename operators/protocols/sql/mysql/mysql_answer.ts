// SPDX-License-Identifier: Apache-2.0
// What a MySQL server says: greeting, OK, ERR, result sets, prepared statements.

import type { Cursor } from "../../../wire/cursor.ts";
import {
  DEPRECATE_EOF,
  lengthEncoded,
  OPTIONAL_METADATA,
  readError,
  type ServerError,
} from "./mysql_packets.ts";
import type { Draft, Make, Step } from "../../../wire/protocol.ts";
import { type F, NO_MAKE, NOTHING, pass, type State } from "./mysql_session.ts";

const STATEMENTS_MAX = 1_024;
/** What an OK packet has at least. */
const OK_BYTES = 7;
/** Status flags: another result set follows; rows wait to be fetched. */
const MORE_RESULTS = 8, CURSOR_EXISTS = 0x40;
/** MariaDB tells how far it has come in packets that look like errors. */
const PROGRESS = 0xffff;
const FIELD_LIST = 4, CHANGE_USER = 17, FETCH = 28;
/** Answered by an endless stream of events: BINLOG_DUMP, BINLOG_DUMP_GTID. */
const DUMPS = new Set([18, 30]);

export function readServer(cursor: Cursor, make: Make<F>, state: State): Step {
  const bytes = cursor.u24le();
  const sequence = cursor.u8();
  if (bytes === 0) return NOTHING;
  const first = cursor.peek();
  if (first === 0xff && bytes > 3 && (cursor.peek(1) | cursor.peek(2) << 8) === PROGRESS) {
    return pass(bytes);
  }
  const idle = state.phase === "head" && state.asked.length === 0;
  if (sequence === 0 && first === 10 && state.capabilities === null && idle) {
    return readGreeting(cursor, bytes, state);
  }
  switch (state.phase) {
    case "login":
      return readLoggedIn(cursor, bytes, first, make, state);
    case "head":
      return readHead(cursor, bytes, first, make, state);
    case "columns":
    case "definitions":
    case "fields":
      return readColumn(cursor, bytes, first, state);
    case "rows":
      return readRow(cursor, bytes, first, state);
    case "events":
      if (first === 0) return pass(bytes);
      return readStatus(cursor, bytes, first, NO_MAKE, state);
  }
}

/** 0a | version NUL | thread u32 | salt 8 | 0 | capabilities u16 | charset u8 | status u16 | u16 */
function readGreeting(cursor: Cursor, bytes: number, state: State): Step {
  cursor.enter(bytes);
  cursor.skip(1);
  state.version = cursor.cstring();
  if (cursor.captured >= 20) {
    cursor.skip(13);
    const low = cursor.u16le();
    cursor.skip(3);
    state.offered = low | cursor.u16le() << 16;
  }
  cursor.leave();
  state.loggingIn = true;
  return NOTHING;
}

/** Challenges go to and fro before OK or ERR. */
function readLoggedIn(
  cursor: Cursor,
  bytes: number,
  first: number,
  make: Make<F>,
  state: State,
): Step {
  if (first === 0xfe || first === 0x01) return pass(bytes);
  state.loggingIn = false;
  state.phase = "head";
  return readStatus(cursor, bytes, first, make, state);
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
    const error = errorDraft(readError(cursor, state.unmask));
    cursor.leave();
    return finish(state, make, error);
  }
  const affected = first === 0 && cursor.captured > 0 ? lengthEncoded(cursor) : 0;
  if (first === 0 && cursor.captured > 0) lengthEncoded(cursor);
  const status = cursor.captured >= 2 ? cursor.u16le() : 0;
  cursor.leave();
  if (first === 0 && (status & MORE_RESULTS) !== 0) return begin(state, make);
  return finish(state, make, {
    fields: affected > 0 ? { affected_rows: affected } : {},
  });
}

function errorDraft({ errno, sqlstate, message, status }: ServerError): Draft<F> {
  return {
    code: errno,
    status,
    fields: {
      error_code: String(errno),
      ...(sqlstate !== "" && { sqlstate: sqlstate }),
      error_message: message,
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
  if (command === CHANGE_USER) return readLoggedIn(cursor, bytes, first, make, state);
  if (command !== undefined && first === 0 && (command === FETCH || DUMPS.has(command))) {
    cursor.skip(bytes);
    state.phase = command === FETCH ? "rows" : "events";
    state.rows = command === FETCH ? 1 : 0;
    return begin(state, make);
  }
  if (command === 9 && first !== 0xff) {
    cursor.skip(bytes);
    return finish(state, make, { fields: {} });
  }
  const bare = first === 0 && bytes < OK_BYTES && optionalMetadata(state);
  if ((first === 0 && !bare) || first === 0xff || (first === 0xfe && bytes < 9)) {
    return readStatus(cursor, bytes, first, make, state);
  }
  if (first === 0xfb) {
    state.loading = true;
    return pass(bytes);
  }
  if (command === FIELD_LIST) {
    cursor.skip(bytes);
    state.phase = "fields";
  } else readColumnCount(cursor, bytes, state);
  return begin(state, make);
}

/**
 * [whether columns follow u8] | count | [whether columns follow u8]: the former where a client of
 * MySQL asked for it, the latter with MariaDB, whose clients may know them from before.
 */
function readColumnCount(cursor: Cursor, bytes: number, state: State): void {
  cursor.enter(bytes);
  const told = optionalMetadata(state) && bytes > 1 ? cursor.u8() : 1;
  const count = lengthEncoded(cursor);
  const follow = told !== 0 && (cursor.remaining !== 1 || cursor.u8() !== 0);
  cursor.leave();
  state.left = follow ? count : 0;
  state.phase = !follow && deprecatesEof(state) ? "rows" : "columns";
}

const optionalMetadata = (state: State): boolean =>
  state.capabilities !== null && (state.capabilities & OPTIONAL_METADATA) !== 0;

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
      ...(rows > 0 && { rows: rows }),
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
  const fields = { statement_id: id };
  if (state.left === 0) return finish(state, make, { fields });
  state.phase = "definitions";
  state.open = true;
  return make.response({ more: true, fields });
}

/** Unknown (joined midway) counts as "no" until an answer shows otherwise. */
const deprecatesEof = (state: State): boolean =>
  state.capabilities !== null && (state.capabilities & DEPRECATE_EOF) !== 0;

function readColumn(cursor: Cursor, bytes: number, first: number, state: State): Step {
  if (first === 0xff) return readFailure(cursor, bytes, state);
  if (state.phase === "fields") {
    if (first !== 0xfe) return pass(bytes);
    cursor.skip(bytes);
    return finish(state, NO_MAKE, {});
  }
  if (state.phase === "definitions") {
    cursor.skip(bytes);
    return --state.left > 0 ? NOTHING : finish(state, NO_MAKE, {});
  }
  if (first === 0xfe && bytes < (state.left > 0 ? 9 : 6)) {
    cursor.enter(bytes);
    cursor.skip(Math.min(3, bytes));
    const status = cursor.captured >= 2 ? cursor.u16le() : 0;
    cursor.leave();
    state.phase = "rows";
    return (status & CURSOR_EXISTS) === 0 ? NOTHING : finish(state, NO_MAKE, {});
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

/** An error ends an answer that had begun. */
function readFailure(cursor: Cursor, bytes: number, state: State): Step {
  cursor.enter(bytes);
  cursor.skip(1);
  const error = errorDraft(readError(cursor, state.unmask));
  cursor.leave();
  return finish(state, NO_MAKE, error);
}

function readRow(cursor: Cursor, bytes: number, first: number, state: State): Step {
  if (first === 0xff) return readFailure(cursor, bytes, state);
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
