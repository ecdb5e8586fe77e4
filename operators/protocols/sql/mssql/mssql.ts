// SPDX-License-Identifier: Apache-2.0
// TDS 7, the protocol of Microsoft SQL Server.
//
//   packet: type u8 | status u8 (1 the last of its message) | bytes u16, these 8 included
//           | process u16 | number u8 | 0 | data
//   type  : 1 batch, 3 call, 4 response, 6 attention, 7 bulk load, 14 transaction, 16 login,
//           17 SSPI, 18 prelogin
//
// The handshake of TLS lies in prelogin packets; what is encrypted after it is passed over. Several
// sessions may share a connection, see smp.ts.

import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { present } from "../../../wire/present.ts";
import type { SqlText } from "../sql_text.ts";
import { readSmp, SMP } from "./smp.ts";
import { hasHeaders, readBatch, readCall, readLogin, readTransaction } from "./tds_request.ts";
import { newOutcome, type Outcome, readLast, readTokens, statusOf } from "./tds_response.ts";
import {
  ALONE,
  breakOff,
  noteHandle,
  type Session,
  sessionOf,
  type Sessions,
} from "./tds_sessions.ts";

const HEADER_BYTES = 8;
const BATCH = 1, CALL = 3, RESPONSE = 4, ATTENTION = 6, TRANSACTION = 14;
const LOGIN = 16, PRELOGIN = 18;
const NAMES: Readonly<Record<number, string>> = {
  1: "BATCH",
  3: "RPC",
  6: "ATTENTION",
  7: "BULK_LOAD",
  14: "TRANSACTION",
  16: "LOGIN",
  17: "SSPI",
  18: "PRELOGIN",
};

const FIELDS = {
  database: { type: "string", otel: "db.namespace", doc: "database" },
  user: { type: "string", doc: "user that logged in" },
  application: { type: "string", doc: "application of the login" },
  procedure: { type: "string", otel: "db.stored_procedure.name", doc: "procedure that is called" },
  summary: { type: "string", otel: "db.query.summary", doc: "operation and table" },
  rows: { type: "number", otel: "db.response.returned_rows", doc: "rows returned or affected" },
  error_code: { type: "string", otel: "db.response.status_code", doc: "error number" },
  severity: { type: "number", doc: "severity of the error" },
  error_message: { type: "string", doc: "the server's message" },
  session: { type: "number", doc: "number of the session, where several share a connection" },
} as const;
type F = typeof FIELDS;

interface State {
  database: string;
  user: string;
  readonly sessions: Sessions;
  /** The session of the next packet in each direction. */
  readonly at: Record<Way, number>;
  /** The version is older than 7.2. */
  old: boolean;
  /** Values of statements stay in their texts. */
  readonly unmask: boolean;
}

export const mssql = defineProtocol<F, State>({
  name: "mssql",
  spec: "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-tds/",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet(SMP, BATCH, CALL, RESPONSE, TRANSACTION, LOGIN, PRELOGIN),
  probe,
  open: (_transport, options) => ({
    database: "",
    user: "",
    sessions: new Map(),
    at: { toServer: ALONE, toClient: ALONE, unknown: ALONE },
    old: false,
    unmask: options?.unmask === true,
  }),

  read(cursor, way, make, state) {
    if (cursor.peek() === SMP) {
      const session = readSmp(cursor, (ended) => state.sessions.delete(ended));
      if (session !== null) state.at[way] = session;
      return NOTHING;
    }
    const type = cursor.u8();
    const status = cursor.u8();
    if (type >= 0x14 && type <= 0x17 && status === 3) return passTls(cursor);
    const size = cursor.u16();
    if (size < HEADER_BYTES || (type !== RESPONSE && NAMES[type] === undefined)) {
      throw new Malformed("not a packet");
    }
    cursor.skip(4);
    const last = (status & 1) !== 0;
    cursor.enter(size - HEADER_BYTES);
    // A prelogin from the server is a response like others.
    const response = type === RESPONSE || (type === PRELOGIN && way === "toClient");
    const packet = { type, last, number: state.at[way] };
    const step = response
      ? readResponse(cursor, packet, make, state)
      : readRequest(cursor, packet, make, state);
    cursor.leave();
    return step;
  },

  lost({ sessions }) {
    breakOff(sessions);
  },
});

interface Packet {
  readonly type: number;
  /** Of its message. */
  readonly last: boolean;
  /** Of its session. */
  readonly number: number;
}

/** A TLS record: version u8 (its first byte was read) | bytes u16 | … */
function passTls(cursor: Cursor): Step {
  cursor.skip(1);
  return { kind: "skip", bytes: cursor.u16() };
}

const NOTHING: Step = { kind: "nothing" };

function readRequest(
  cursor: Cursor,
  { type, last, number }: Packet,
  make: Make<F>,
  state: State,
): Step {
  const session = sessionOf(state.sessions, number);
  const alone = number === ALONE;
  const begun = session.open.toServer;
  session.open.toServer = !last;
  if (begun) return last && alone ? { kind: "end" } : NOTHING;
  const name = NAMES[type] ?? "";
  // Between the packets of a message those of other sessions may lie: it is told with its first.
  const more = !last && alone;
  // Cancels the request before it; the answer to it ends that one.
  if (type === ATTENTION) return make.oneway({ type: name, more });
  const draft = requestOf(cursor, type, name, state, session);
  if (alone) return make.request({ ...draft, more });
  return make.request({ ...draft, id: number, fields: { ...draft.fields, session: number } });
}

function requestOf(
  cursor: Cursor,
  type: number,
  name: string,
  state: State,
  session: Session,
): Draft<F> {
  session.preparing = null;
  if (type === BATCH) {
    state.old = !hasHeaders(cursor);
    let sql: SqlText | null = null;
    attempt(() => void (sql = readBatch(cursor, state.unmask)));
    return statementDraft(name, sql, "", state);
  }
  if (type === CALL) {
    state.old = !hasHeaders(cursor);
    const { procedure, sql, handle } = readCall(cursor, state.unmask);
    session.preparing = sql;
    const text = sql ?? session.prepared.get(handle) ?? null;
    const draft = statementDraft(name, text, procedure, state);
    const only = /^sp_(?:cursor)?((?:un)?prepare)$/i.exec(procedure)?.[1];
    return only === undefined ? draft : { ...draft, type: only.toUpperCase() };
  }
  if (type === TRANSACTION) return statementDraft(readTransaction(cursor) || name, null, "", state);
  if (type === LOGIN) {
    const { user, application, database, old } = readLogin(cursor);
    state.old = old;
    state.user = user;
    state.database = database;
    const draft = statementDraft(name, null, "", state);
    return { ...draft, resource: database, fields: present({ ...draft.fields, application }) };
  }
  return statementDraft(name, null, "", state);
}

function statementDraft(
  name: string,
  sql: SqlText | null,
  procedure: string,
  state: State,
): Draft<F> {
  const { database, user } = state;
  return {
    type: sql !== null && sql.operation !== "" ? sql.operation : name,
    resource: sql?.text ?? procedure,
    domain: database,
    endpoint: sql?.summary ?? (procedure === "" ? name : procedure),
    identity: sql?.identity ?? null,
    fields: present({ database, user, procedure, summary: sql?.summary }),
  };
}

function readResponse(
  cursor: Cursor,
  { type, last, number }: Packet,
  make: Make<F>,
  state: State,
): Step {
  const session = sessionOf(state.sessions, number);
  const begun = session.open.toClient;
  const outcome = begun ? session.outcome : newOutcome();
  if (type === RESPONSE) {
    attempt(() => {
      if (!begun) readTokens(cursor, outcome, state);
      if (last) readLast(cursor, outcome, state.old);
    });
  }
  if (outcome.database !== "") state.database = outcome.database;
  session.open.toClient = !last;
  session.outcome = outcome;
  if (last) noteHandle(session, outcome.handle);
  const alone = number === ALONE;
  if (!last && (begun || !alone)) return NOTHING;
  const { code } = outcome;
  const status = statusOf(outcome);
  const fields = outcomeFields(outcome);
  if (begun && alone) return { kind: "end", ...(code !== 0 && { code }), status, fields };
  const draft = { code: code === 0 ? undefined : code, status, fields, more: !last };
  if (alone) return make.response(draft);
  return make.response({ ...draft, id: number, fields: { ...fields, session: number } });
}

const outcomeFields = ({ rows, code, severity, message }: Outcome) =>
  present({
    rows: rows < 0 ? undefined : rows,
    error_code: code === 0 ? "" : String(code),
    severity: code === 0 ? undefined : severity,
    error_message: message,
  });

const NO: Claim = { kind: "no" };

/** The packet's length is that of the bytes, and its data begins as data of its type does. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 12) return length < 12 ? { kind: "maybe" } : NO;
  if (bytes[0] === SMP) return probeSmp(bytes, length);
  const [type = 0, status = 0, high = 0, low = 0] = bytes;
  const size = high << 8 | low;
  if (size < HEADER_BYTES || size > length || bytes[7] !== 0 || (status & 0xe0) !== 0) return NO;
  if ((status & 1) === 0 ? size < 512 : size !== length) return NO;
  switch (type) {
    case PRELOGIN: {
      // Tokens of 5 bytes: version first, at the offset behind all of them.
      const first = bytes[8] === 0 && bytes[9] === 0 && bytes[11] === 0 && bytes[12] === 6;
      return first ? { kind: "request", score: 90 } : NO;
    }
    case LOGIN:
      return isLogin(bytes, size) ? { kind: "request", score: 92 } : NO;
    case BATCH:
    case CALL:
    case TRANSACTION:
      if (bytes[8] === 22 && bytes[9] === 0 && bytes[12] === 18 && bytes[16] === 2) {
        return { kind: "request", score: 95 };
      }
      return asksWithoutHeaders(bytes, size, type) ? { kind: "request", score: 82 } : NO;
    case RESPONSE:
      return isToken(bytes[8] ?? 0, bytes, size) ? { kind: "response", score: 82 } : NO;
    default:
      return NO;
  }
}

/** Its own length u32le, then the version, whose highest byte is 70 to 74, or 8 for version 8. */
function isLogin(bytes: Uint8Array, size: number): boolean {
  const version = bytes[15] ?? 0;
  const known = (version >= 0x70 && version <= 0x74) || version === 8 || bytes[12] === 0x74;
  const length = (bytes[8] ?? 0) | (bytes[9] ?? 0) << 8 | (bytes[10] ?? 0) << 16;
  return known && length + HEADER_BYTES >= size && length < 1 << 17;
}

/**
 * Before version 7.2 a batch is its text, and a call begins with the name of the procedure or with
 * ffff and its number.
 */
function asksWithoutHeaders(bytes: Uint8Array, size: number, type: number): boolean {
  if (type === BATCH) return size > HEADER_BYTES + 4 && isText(bytes, HEADER_BYTES, size);
  if (type !== CALL) return false;
  const units = (bytes[8] ?? 0) | (bytes[9] ?? 0) << 8;
  const end = 10 + units * 2;
  if (units === 0xffff) return (bytes[10] ?? 0) - 1 < 15 && bytes[11] === 0 && (bytes[12] ?? 9) < 8;
  return units > 2 && units <= 256 && end + 2 <= size && isText(bytes, 10, end);
}

/** UTF-16 of printable ASCII, as far as it is at hand, 32 units at most. */
function isText(bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 2 !== 0) return false;
  for (let at = start; at + 1 < Math.min(end, bytes.length, start + 64); at += 2) {
    const low = bytes[at] ?? 0;
    const printable = (low >= 0x20 && low < 0x7f) || (low >= 9 && low <= 13);
    if (!printable || bytes[at + 1] !== 0) return false;
  }
  return true;
}

/** A head with data, and a packet of the size that it says behind it. */
function probeSmp(bytes: Uint8Array, length: number): Claim {
  const size = (bytes[4] ?? 0) | (bytes[5] ?? 0) << 8;
  const fits = bytes[1] === 8 && bytes[6] === 0 && bytes[7] === 0 && size > 24 && size <= length;
  return fits ? probe(bytes.subarray(16, size), size - 16) : NO;
}

/** Which tokens a response begins with, and that DONE ends it where its end is there. */
function isToken(token: number, bytes: Uint8Array, size: number): boolean {
  if (!FIRST_TOKENS.has(token)) return false;
  const done = bytes[size - 13] ?? 0;
  return (bytes[1] ?? 0) !== 1 || size > bytes.length || done >= 0xfd;
}

const FIRST_TOKENS = new Set([0x79, 0x81, 0xaa, 0xab, 0xad, 0xa9, 0xe3, 0xfd, 0xfe, 0xff]);
