// SPDX-License-Identifier: Apache-2.0
// MongoDB wire protocol.
//
//   header  : length u32le | request id u32le | response to u32le | opcode u32le
//   OP_MSG  : flags u32le | section … | [crc u32le]   section: 0 document, or 1 size name document…
//   OP_QUERY: flags u32le | collection NUL | skip u32le | limit u32le | document
//   OP_REPLY: flags u32le | cursor u64le | from u32le | count u32le | document …
//   OP_COMPRESSED: opcode u32le | bytes u32le | compressor u8 | body of that opcode
//
// The first element of a command names it, and its value is mostly the collection.

import { byteSet } from "../../../wire/byte_set.ts";
import { type BsonValue, walkBson } from "./bson.ts";
import { attempt } from "../../../wire/attempt.ts";
import { Cursor, Malformed } from "../../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../../wire/protocol.ts";
import { errorText } from "../error_text.ts";
import { unpackSnappy, unpackZlib, unpackZstd } from "../../../wire/payload/unpack.ts";
import { parseTraceparent } from "../../../wire/trace_context.ts";

const HEADER_BYTES = 16;
const MESSAGE_BYTES_MAX = 48_000_000;
/** The least that any opcode needs. */
const MESSAGE_BYTES_MIN = 25;
const COMPRESSED = 2_012;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 0x10000;

const OPCODES: Readonly<Record<number, string>> = {
  1: "OP_REPLY",
  2001: "OP_UPDATE",
  2002: "OP_INSERT",
  2004: "OP_QUERY",
  2005: "OP_GET_MORE",
  2006: "OP_DELETE",
  2007: "OP_KILL_CURSORS",
  2010: "OP_COMMAND",
  2011: "OP_COMMANDREPLY",
  2012: "OP_COMPRESSED",
  2013: "OP_MSG",
};

/** OP_REPLY and OP_COMMANDREPLY. */
const REPLIES = new Set([1, 2011]);

const FIELDS = {
  database: { type: "string", otel: "db.namespace", doc: "database" },
  collection: { type: "string", otel: "db.collection.name", doc: "collection" },
  error_code: {
    type: "string",
    otel: "db.response.status_code",
    doc: "error code",
  },
  opcode: { type: "string", doc: "opcode of the message" },
  error_message: { type: "string", doc: "the server's message" },
} as const;
type F = typeof FIELDS;

/** What a command or reply says at its top level. */
interface Document {
  /** What is compressed, 0 where nothing is. */
  opcode: number;
  command: string;
  collection: string;
  database: string;
  ok: boolean | null;
  code: number | null;
  message: string;
  traceparent: string;
}

interface State {
  /** Ids of answers that say that another one follows, which answers them in turn. */
  readonly followed: Set<number>;
  /** Texts show their values. */
  readonly unmask: boolean;
}
const FOLLOWED_MAX = 1_024;

export const mongodb = defineProtocol<F, State>({
  name: "mongodb",
  spec: "https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 255]),
  probe,
  open: (_transport, options) => ({ followed: new Set(), unmask: options?.unmask === true }),

  read(cursor, way, make, state) {
    const length = cursor.u32le();
    const requestId = cursor.u32le();
    const responseTo = cursor.u32le();
    const opcode = cursor.u32le();
    if (length < HEADER_BYTES || length > MESSAGE_BYTES_MAX || OPCODES[opcode] === undefined) {
      throw new Malformed("not a MongoDB message");
    }
    cursor.enter(length - HEADER_BYTES);
    const { document, flags } = readBody(cursor, opcode);
    const clipped = cursor.captured < cursor.remaining && document.command === "";
    cursor.leave();
    const inner = document.opcode || opcode;
    // Requests of some clients say that they answer -1.
    if (REPLIES.has(inner) || (inner === 2013 && responseTo !== 0 && way !== "toServer")) {
      const { followed } = state;
      const draft = responseOf(document, inner, responseTo, clipped, state.unmask);
      const unasked = followed.delete(responseTo);
      if ((flags & MORE_TO_COME) !== 0 && followed.size < FOLLOWED_MAX) followed.add(requestId);
      // Of a stream of answers the first one is the answer to the request.
      return unasked ? make.oneway({ ...draft, type: "EXHAUST" }) : make.response(draft);
    }
    return request(make, document, inner, requestId, flags, clipped);
  },
});

function readBody(cursor: Cursor, opcode: number): { document: Document; flags: number } {
  const document: Document = {
    opcode: 0,
    command: "",
    collection: "",
    database: "",
    ok: null,
    code: null,
    message: "",
    traceparent: "",
  };
  return { document, flags: readInto(cursor, opcode, document) };
}

/** Returns the flags. */
function readInto(cursor: Cursor, opcode: number, document: Document): number {
  let flags = 0;
  if (opcode === COMPRESSED) return readCompressed(cursor, document);
  if (cursor.captured < 5) return flags;
  flags = cursor.u32le();
  if (opcode === 2013) readSections(cursor, document);
  else if (opcode === 1) {
    cursor.skip(16);
    if (cursor.captured > 5) walkBson(cursor, (name, value) => take(document, name, value));
  } else if (cursor.find(0) >= 0) readLegacy(cursor, opcode, document);
  return flags;
}

/** Unpacked as far as it is needed: what is of interest stands in front. */
function readCompressed(cursor: Cursor, document: Document): number {
  if (cursor.captured < 10) return 0;
  const opcode = cursor.u32le();
  const bytes = cursor.u32le();
  const unpack = UNPACK[cursor.u8()];
  document.opcode = opcode;
  if (unpack === undefined || opcode === COMPRESSED || bytes > MESSAGE_BYTES_MAX) return 0;
  const plain = unpack(cursor.bytes(cursor.captured), bytes);
  const inner = new Cursor();
  inner.reset(plain, 0, plain.length, plain.length);
  inner.enter(plain.length);
  let flags = 0;
  attempt(() => {
    flags = inner.peek(0) | inner.peek(1) << 8 | inner.peek(2) << 16;
    readInto(inner, opcode, document);
  });
  return flags;
}

/** By the number of the compressor. */
const UNPACK: Readonly<Record<number, (input: Uint8Array, bytesMax: number) => Uint8Array>> = {
  0: (input) => input,
  1: unpackSnappy,
  2: unpackZlib,
  3: unpackZstd,
};

/** A section of kind 0 is the command, of kind 1 a list of documents that belongs to it. */
function readSections(cursor: Cursor, document: Document): void {
  while (cursor.captured > 5) {
    const kind = cursor.u8();
    if (kind === 0) {
      walkBson(cursor, (name, value) => take(document, name, value), "writeErrors");
    } else if (kind === 1) {
      const bytes = cursor.u32le();
      if (bytes < 4 || bytes - 4 > cursor.remaining) {
        throw new Malformed("section past its message");
      }
      cursor.skip(bytes - 4);
    } else return;
  }
}

/** `database.collection` NUL, then what the opcode needs; `database.$cmd` carries a command. */
function readLegacy(cursor: Cursor, opcode: number, document: Document): void {
  const name = cursor.cstring();
  const dot = name.indexOf(".");
  document.database = dot < 0 ? name : name.slice(0, dot);
  document.collection = dot < 0 ? "" : name.slice(dot + 1);
  if (opcode !== 2004 || document.collection !== "$cmd") {
    document.command = OPCODES[opcode]?.slice(3).toLowerCase() ?? "";
    return;
  }
  document.collection = "";
  cursor.skip(8);
  if (cursor.captured > 5) walkBson(cursor, (key, value) => take(document, key, value));
}

/** First elements whose values are no collections: code, users, levels. */
const ELSEWHERE = new Set([
  ...["errmsg", "eval", "$eval", "createUser", "updateUser", "dropUser", "usersInfo", "createRole"],
  ...["updateRole", "dropRole", "rolesInfo", "getLog", "getParameter", "grantRolesToUser"],
  ...[
    "revokeRolesFromUser",
    "grantPrivilegesToRole",
    "revokePrivilegesFromRole",
    "configureFailPoint",
  ],
]);

function take(document: Document, name: string, value: BsonValue): boolean {
  if (document.command === "") {
    document.command = name;
    if (typeof value === "string" && !ELSEWHERE.has(name)) document.collection = value;
  }
  if (name === "collection" && typeof value === "string") document.collection = value;
  else if (name === "$db" && typeof value === "string") document.database = value;
  else if (name === "ok") document.ok = value === 1 || value === true;
  else if (name === "code" && typeof value === "number") document.code = value;
  else if (name === "errmsg" && typeof value === "string") document.message = value;
  else if (name === "comment" && typeof value === "string") {
    document.traceparent = /\d\d-[0-9a-f]{32}-[0-9a-f]{16}-\d\d/.exec(value)?.[0] ?? "";
  }
  return true;
}

function request(
  make: Make<F>,
  document: Document,
  opcode: number,
  id: number,
  flags: number,
  clipped: boolean,
): Step {
  const { command, collection, database } = document;
  const draft: Draft<F> = {
    type: command || OPCODES[opcode] || "",
    resource: collection,
    domain: database,
    endpoint: collection === "" ? command : `${command} ${collection}`,
    id,
    identity: document.traceparent === "" ? null : parseTraceparent(document.traceparent),
    clipped,
    fields: {
      opcode: OPCODES[opcode] ?? "",
      ...(database !== "" && { database: database }),
      ...(collection !== "" && { collection: collection }),
    },
  };
  const unanswered = opcode === 2013
    ? (flags & MORE_TO_COME) !== 0 && (flags & EXHAUST_ALLOWED) === 0
    : opcode === 2001 || opcode === 2002 || opcode === 2006 || opcode === 2007;
  return unanswered ? make.oneway(draft) : make.request(draft);
}

/** Error codes that are the server's own trouble: network, shutdown, elections, timeouts. */
const SERVER_CODES = new Set([
  1,
  6,
  7,
  8,
  50,
  63,
  89,
  91,
  133,
  189,
  262,
  9001,
  10107,
  11600,
  11602,
]);

function responseOf(
  document: Document,
  opcode: number,
  id: number,
  clipped: boolean,
  unmask: boolean,
): Draft<F> {
  // Of a write that failed the command says ok, and its first error a code.
  const failed = document.ok === false || document.code !== null;
  const code = document.code ?? 0;
  return {
    id,
    clipped,
    code,
    status: !failed ? "ok" : SERVER_CODES.has(code) ? "server_error" : "client_error",
    fields: {
      opcode: OPCODES[opcode] ?? "",
      ...(failed && { error_code: String(code) }),
      ...(failed && { error_message: errorText(document.message, unmask) }),
    },
  };
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  const u32 = (at: number) =>
    ((bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 |
      (bytes[at + 3] ?? 0) << 24) >>> 0;
  const size = u32(0);
  if (bytes.length >= 4 && (size < HEADER_BYTES || size > MESSAGE_BYTES_MAX)) return NO;
  if (bytes.length < HEADER_BYTES) return length < HEADER_BYTES ? { kind: "maybe" } : NO;
  if (OPCODES[u32(12)] === undefined || size < MESSAGE_BYTES_MIN) return NO;
  const opcode = u32(12);
  const compressed = opcode === COMPRESSED ? u32(16) : opcode;
  const reply = REPLIES.has(compressed) || (compressed === 2013 && u32(8) !== 0);
  const exact = size === length;
  // Several at once: the next one's header follows.
  if (size < length && OPCODES[u32(size + 12)] === undefined) return NO;
  if (u32(12) === 1 && !mayReply(bytes, length, size, u32)) return NO;
  if (u32(12) === 2013 && ((bytes[20] ?? 0) > 1 || (u32(16) & 0xfffe) > 3)) return NO;
  return { kind: reply ? "response" : "request", score: exact ? 92 : 78 };
}

/** OP_REPLY: flags u32le, cursor 8, from u32le, documents u32le, documents: here at least one. */
function mayReply(
  bytes: Uint8Array,
  length: number,
  size: number,
  u32: (at: number) => number,
): boolean {
  if (bytes.length < 42) return length > bytes.length && size >= 36;
  const first = u32(36);
  if (u32(16) >= 16 || u32(32) === 0 || first < 5 || first > size - 36) return false;
  // Its first element has a type and a name, and a zero ends it.
  const named = first === 5 || ((bytes[40] ?? 0) <= 0x13 && isNameStart(bytes[41] ?? 0));
  return named && (bytes[35 + first] ?? 0) === 0;
}

const isNameStart = (c: number): boolean =>
  (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x5f || c === 0x24;
