// SPDX-License-Identifier: Apache-2.0
// ClickHouse's native protocol.
//
//   number: varint      text: length varint, bytes
//   client: 0 hello (name, version, revision, database, user, password) | 1 query | 2 data | 4 ping
//   server: 0 hello | 1 data | 2 exception (code i32 little endian, class, text) | 3 progress
//           | 4 pong | 5 end of stream | …
//   query : see clickhouse_query.ts
//
// Blocks of data do not say how long they are, so what follows a query, or the first packet of its
// answer, is passed over until the direction changes.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";
import { readVarint } from "../../wire/protobuf.ts";
import { errorText } from "./error_text.ts";
import { readQueryPacket, REVISION_MAX, REVISION_MIN, text } from "./clickhouse_query.ts";
import { describeSql } from "./sql_text.ts";
import { startsStatement } from "./sql_start.ts";
import { latin1Of } from "../../wire/text.ts";

const HELLO = 0, QUERY = 1, EXCEPTION = 2, PING = 4;
/** Revisions from which a field is there. */
const ADDENDUM = 54_458, CHUNKED = 54_470, REPLICAS_VERSION = 54_471;

const FIELDS = {
  database: { type: "string", otel: "db.namespace", doc: "database" },
  user: { type: "string", doc: "user that logged in" },
  client_name: { type: "string", doc: "name and version of the client" },
  server_version: { type: "string", doc: "version of the server" },
  query_id: { type: "string", doc: "id of the query" },
  summary: { type: "string", otel: "db.query.summary", doc: "operation and table" },
  error_code: { type: "string", otel: "db.response.status_code", doc: "error code" },
  exception: { type: "string", otel: "exception.type", doc: "class of the exception" },
  error_message: { type: "string", doc: "text of the exception" },
} as const;
type F = typeof FIELDS;

interface State {
  /** Revision of the client; 0 when its hello was not seen. */
  revision: number;
  serverRevision: number;
  database: string;
  user: string;
  /** What was asked and waits for its answer. */
  waiting: number;
  /** The client still has to say what new versions add to its hello. */
  adding: boolean;
  /** What follows in this direction is blocks. */
  readonly blocks: Record<Way, boolean>;
  /** Values of statements stay in their texts. */
  readonly unmask: boolean;
}

export const clickhouse = defineProtocol<F, State>({
  name: "clickhouse",
  spec: "https://clickhouse.com/docs/native-protocol/basics",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 600_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet([0, 17]),
  probe,
  open: (_transport, options) => ({
    revision: 0,
    serverRevision: 0,
    database: "",
    user: "",
    waiting: 0,
    adding: false,
    blocks: { toServer: false, toClient: false, unknown: false },
    unmask: options?.unmask === true,
  }),

  read(cursor, way, make, state) {
    if (state.blocks[way]) {
      state.blocks[way] = false;
      return { kind: "lost" };
    }
    return way === "toClient" ? readAnswer(cursor, make, state) : readRequest(cursor, make, state);
  },

  lost(state, way) {
    state.blocks[way] = false;
  },
});

const NOTHING: Step = { kind: "nothing" };

/** Revision that both ends know. */
const agreed = (state: State): number =>
  Math.min(state.revision, state.serverRevision || state.revision);

/** quota key | [whether packets are chunked, twice] | [version of parallel replicas] */
function readAddendum(cursor: Cursor, state: State): Step {
  const revision = agreed(state);
  if (revision >= ADDENDUM) text(cursor);
  if (revision >= CHUNKED && (text(cursor) === "chunked" || text(cursor) === "chunked")) {
    throw new Malformed("chunked packets");
  }
  if (revision >= REPLICAS_VERSION) readVarint(cursor);
  state.adding = false;
  return NOTHING;
}

function readRequest(cursor: Cursor, make: Make<F>, state: State): Step {
  if (state.adding && state.serverRevision > 0) return readAddendum(cursor, state);
  switch (cursor.u8()) {
    case HELLO: {
      const name = text(cursor);
      const version = `${readVarint(cursor)}.${readVarint(cursor)}`;
      const revision = readVarint(cursor);
      // What came of another protocol may have a password where this one has a name.
      const known = revision >= REVISION_MIN && revision < REVISION_MAX;
      if (!known || !/^[A-Za-z][ -~]+$/.test(name)) throw new Malformed("no hello of a client");
      const database = text(cursor);
      const user = text(cursor);
      cursor.skip(readVarint(cursor)); // the password
      Object.assign(state, { revision, database, user, adding: revision >= ADDENDUM });
      state.waiting++;
      return make.request({
        type: "HELLO",
        resource: database,
        domain: database,
        endpoint: "HELLO",
        fields: { database, user, client_name: `${name} ${version}` },
      });
    }
    case QUERY:
      return readQuery(cursor, make, state);
    case PING:
      state.waiting++;
      return make.request({ type: "PING", endpoint: "PING" });
    default:
      // Data of an INSERT, a cancellation.
      state.blocks.toServer = true;
      return NOTHING;
  }
}

function readQuery(cursor: Cursor, make: Make<F>, state: State): Step {
  const { queryId, query, identity } = readQueryPacket(cursor, agreed(state));
  const sql = describeSql(query, "other", state.unmask);
  const { database, user } = state;
  state.waiting++;
  state.blocks.toServer = true;
  return make.request({
    type: sql.operation || "QUERY",
    resource: sql.text,
    domain: database,
    endpoint: sql.summary,
    identity: identity ?? sql.identity,
    more: true,
    fields: {
      ...(database !== "" && { database }),
      ...(user !== "" && { user }),
      ...(queryId !== "" && { query_id: queryId }),
      summary: sql.summary,
    },
  });
}

function readAnswer(cursor: Cursor, make: Make<F>, state: State): Step {
  const type = cursor.u8();
  if (state.waiting === 0) {
    state.blocks.toClient = true;
    return NOTHING;
  }
  if (type === HELLO) {
    text(cursor);
    const version = `${readVarint(cursor)}.${readVarint(cursor)}`;
    state.serverRevision = readVarint(cursor);
    state.waiting--;
    state.blocks.toClient = true;
    return make.response({ more: true, fields: { server_version: version } });
  }
  if (type === EXCEPTION) {
    const code = cursor.i32le();
    const name = text(cursor);
    const message = errorText(text(cursor).slice(0, 512), state.unmask);
    state.waiting--;
    state.blocks.toClient = true;
    return make.response({
      code,
      status: SERVER_ERRORS.has(code) ? "server_error" : "client_error",
      more: true,
      fields: { error_code: String(code), exception: name, error_message: message },
    });
  }
  if (type > 17) throw new Malformed("no such packet");
  state.waiting--;
  if (type === PING) return make.response({});
  state.blocks.toClient = true;
  return make.response({ more: true });
}

/** Sockets, time, memory, too many queries, keeper, replicas: the server's. */
const SERVER_ERRORS = new Set([
  ...[159, 160, 173, 198, 201, 202, 203, 209, 210, 225, 241, 242, 243, 252, 279, 286, 319],
  ...[999, 1_000, 1_001, 1_002],
]);

const NO: Claim = { kind: "no" };

/** Hellos: the client's name and a version; the server says "ClickHouse". Midway, a query. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] === QUERY) return probeQuery(bytes);
  const count = bytes[1] ?? 0;
  if (bytes[0] !== HELLO || count < 3 || count > 96) return NO;
  if (length < 2 + count + 3) return NO;
  if (!isLetter(bytes[2] ?? 0) || !isLetter(bytes[3] ?? 0)) return NO;
  const name = latin1Of(bytes, 2, 2 + count);
  if (!/^[\x20-\x7e]+$/.test(name)) return NO;
  const server = name === "ClickHouse";
  // Behind the version stands the revision: 54,xxx as a varint of three bytes.
  const at = revisionAt(bytes, 2 + count);
  if (at < 0) return NO;
  // A client goes on with database, user and password.
  const texts = server ? 0 : textsFit(bytes, at + 3, length);
  if (texts < 0) return NO;
  if (
    server && texts === 0 && length > at + 3 && (bytes[at + 3] ?? 0) > 0 && isZone(bytes, at + 3)
  ) {
    return { kind: "response", score: 96 };
  }
  return server ? { kind: "either", score: 75 } : { kind: "request", score: 93 };
}

/** Up to the revision of the client: texts where they should be, and numbers that there are. */
function probeQuery(bytes: Uint8Array): Claim {
  let at = textEnd(bytes, 1);
  const kind = at < 0 ? 0 : bytes[at++] ?? 0;
  if (kind !== 1 && kind !== 2) return NO;
  for (let i = 0; i < 3 && at > 0; i++) at = textEnd(bytes, at);
  if (at < 0 || bytes[at + 8] !== 1) return NO;
  at += 9;
  for (let i = 0; i < 3 && at > 0; i++) at = textEnd(bytes, at);
  if (at < 0) return NO;
  return revisionAt(bytes, at) > 0 || hasStatement(bytes, at) ? { kind: "request", score: 92 } : NO;
}

/**
 * Some clients leave out their revision: major, minor, nothing else set, stage 2, compression,
 * length, statement.
 */
function hasStatement(bytes: Uint8Array, at: number): boolean {
  let end = at + 2;
  while (bytes[end] === 0) end++;
  const zeros = end - at - 2;
  if (zeros < 6 || zeros > 16 || bytes[end] !== 2 || (bytes[end + 1] ?? 2) > 1) return false;
  end += 2;
  while ((bytes[end] ?? 0) >= 0x80) end++;
  return startsStatement(latin1Of(bytes, end + 1, end + 33));
}

/** Where the short printable text at `at` ends, -1 where there is none. */
function textEnd(bytes: Uint8Array, at: number): number {
  const count = bytes[at] ?? 255;
  if (count > 127 || at + 1 + count > bytes.length) return -1;
  for (let i = at + 1; i <= at + count; i++) {
    if ((bytes[i] ?? 0) < 0x20 || (bytes[i] ?? 0) > 0x7e) return -1;
  }
  return at + 1 + count;
}

const isLetter = (byte: number): boolean =>
  (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

function revisionAt(bytes: Uint8Array, versionAt: number): number {
  let at = versionAt;
  for (let i = 0; i < 2; i++) {
    while ((bytes[at] ?? 0) >= 0x80 && at < versionAt + 4) at++;
    at++;
  }
  const revision = ((bytes[at] ?? 0) & 0x7f) | ((bytes[at + 1] ?? 0) & 0x7f) << 7 |
    ((bytes[at + 2] ?? 255) & 0x7f) << 14;
  return revision >= 51_000 && revision < 60_000 && (bytes[at + 2] ?? 255) < 0x80 ? at : -1;
}

/** Three texts that end with the bytes at hand or before; -1 where they do not fit. */
function textsFit(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  for (let i = 0; i < 3; i++) at += 1 + (bytes[at] ?? 0);
  return at <= length ? 3 : -1;
}

/** A time zone, which the server names: Europe/Berlin, UTC. */
function isZone(bytes: Uint8Array, at: number): boolean {
  const zone = latin1Of(bytes, at + 1, at + 1 + (bytes[at] ?? 0));
  return /^[A-Za-z0-9_+\/-]{3,40}$/.test(zone);
}
