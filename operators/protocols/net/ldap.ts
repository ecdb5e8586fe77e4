// SPDX-License-Identifier: Apache-2.0
// LDAP 3.
//
//   message: SEQUENCE { id INTEGER, operation [APPLICATION n], [controls] }        in BER
//   result : code ENUMERATED, matched name, text, …
//   signed : length u32, a token, message …        after a bind that agreed on a security layer
//
// The entries of a search belong to its answer, which SearchResultDone gives. Passwords of binds
// are not read.

import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { goesOnInTls } from "../mail/goes_on_in_tls.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../wire/protocol.ts";
import { passToken } from "./ldap_token.ts";
import { ENUMERATED, readElement, readInteger, readNumber, readOctets, readTagged } from "./ber.ts";

const MESSAGE_BYTES_MAX = 1 << 26;
/** Of a longer message only so much is read. */
const READ_BYTES_MAX = 16_384;
const FILTER_DEPTH_MAX = 16;
const COUNTED_MAX = 1_024;

const NAMES: Readonly<Record<number, string>> = {
  0: "BIND",
  1: "BIND_RESPONSE",
  2: "UNBIND",
  3: "SEARCH",
  4: "SEARCH_ENTRY",
  5: "SEARCH_DONE",
  6: "MODIFY",
  7: "MODIFY_RESPONSE",
  8: "ADD",
  9: "ADD_RESPONSE",
  10: "DELETE",
  11: "DELETE_RESPONSE",
  12: "MODIFY_DN",
  13: "MODIFY_DN_RESPONSE",
  14: "COMPARE",
  15: "COMPARE_RESPONSE",
  16: "ABANDON",
  19: "SEARCH_REFERENCE",
  23: "EXTENDED",
  24: "EXTENDED_RESPONSE",
  25: "INTERMEDIATE_RESPONSE",
};
const BIND = 0, UNBIND = 2, SEARCH = 3, ENTRY = 4, ABANDON = 16, REFERENCE = 19;
const EXTENDED = 23, EXTENDED_RESPONSE = 24, INTERMEDIATE = 25;
const RESPONSES = new Set([1, 5, 7, 9, 11, 13, 15, 24]);
const START_TLS = "1.3.6.1.4.1.1466.20037";

const FIELDS = {
  dn: { type: "string", doc: "name that is bound, searched from or changed" },
  filter: { type: "string", doc: "filter of a search, its values as ?" },
  scope: { type: "string", doc: "base, one or sub" },
  authentication: { type: "string", doc: "simple or sasl" },
  operation: { type: "string", doc: "id of an extended operation" },
  message_id: { type: "number", doc: "message id" },
  entries: { type: "number", otel: "db.response.returned_rows", doc: "entries of a search" },
  result_code: { type: "number", doc: "result code" },
  error_message: { type: "string", doc: "diagnostic text" },
} as const;
type F = typeof FIELDS;

interface State {
  readonly tails: Tails;
  /** Entries of searches that are not done, by message id. */
  readonly entries: Map<number, number>;
  /** Id of the request to start TLS. */
  securing: number;
  encrypted: boolean;
  /** SASL was used to bind: messages may be signed or sealed from then on. */
  sasl: boolean;
  /** What filters compare with stays in their texts. */
  readonly unmask: boolean;
}

export const ldap = defineProtocol<F, State>({
  name: "ldap",
  spec: "https://www.rfc-editor.org/rfc/rfc4511",
  transports: ["tcp", "udp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet(0x30),
  probe,
  open: (_transport, options) => ({
    tails: noTails(),
    entries: new Map(),
    securing: -1,
    encrypted: false,
    sasl: false,
    unmask: options?.unmask === true,
  }),

  read(cursor, way, make, state) {
    if (state.encrypted && goesOnInTls(cursor)) return { kind: "switch", to: "tls" };
    state.encrypted = false;
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    if (state.sasl && cursor.peek() !== 0x30) return passToken(cursor, MESSAGE_BYTES_MAX);
    const { tag, bytes } = readElement(cursor);
    if (tag !== 0x30 || bytes < 5 || bytes > MESSAGE_BYTES_MAX) {
      throw new Malformed("not a message");
    }
    const kept = Math.min(bytes, READ_BYTES_MAX);
    cursor.enter(kept);
    const id = readInteger(cursor);
    const operation = readElement(cursor);
    const number = operation.tag & 31;
    if ((operation.tag & 0xc0) !== 0x40 || NAMES[number] === undefined) {
      throw new Malformed("no such operation");
    }
    const step = readOperation(cursor, number, operation.bytes, id, bytes > kept, make, state);
    cursor.leave();
    if (bytes > kept) keepTail(state.tails, way, step, bytes - kept);
    return step;
  },

  lost(state, way: Way) {
    dropTail(state.tails, way);
  },
});

function readOperation(
  cursor: Cursor,
  number: number,
  bytes: number,
  id: number,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  const type = NAMES[number] ?? "";
  if (number === ENTRY || number === REFERENCE || number === INTERMEDIATE) {
    if (number === ENTRY && (state.entries.size < COUNTED_MAX || state.entries.has(id))) {
      state.entries.set(id, (state.entries.get(id) ?? 0) + 1);
    }
    return { kind: "nothing" };
  }
  if (number === UNBIND) return make.oneway({ type, endpoint: type, fields: { message_id: id } });
  if (number === ABANDON) {
    return make.oneway({ type, endpoint: type, more, fields: { message_id: id } });
  }
  if (RESPONSES.has(number)) return readResult(cursor, number, id, more, make, state);
  let found: Asked = {};
  attempt(() => void (found = readRequest(cursor, number, bytes, state.unmask)));
  if (found.operation === START_TLS) state.securing = id;
  if (found.authentication === "sasl") state.sasl = true;
  const draft: Draft<F> = {
    type,
    resource: found.dn ?? found.operation ?? "",
    endpoint: type,
    id,
    more,
    fields: { ...found, message_id: id },
  };
  return make.request(draft);
}

interface Asked {
  readonly dn?: string;
  readonly filter?: string;
  readonly scope?: string;
  readonly authentication?: string;
  readonly operation?: string;
}

const SCOPES = ["base", "one", "sub", "children"];

function readRequest(cursor: Cursor, number: number, bytes: number, unmask: boolean): Asked {
  if (number === BIND) {
    readInteger(cursor);
    const dn = readOctets(cursor);
    return { dn, authentication: cursor.peek() === 0x80 ? "simple" : "sasl" };
  }
  // A deletion is nothing but the name.
  if (number === 10) return { dn: cursor.text(bytes) };
  if (number === EXTENDED) {
    return { operation: cursor.latin1(readTagged(cursor, 0x80)) };
  }
  const dn = readOctets(cursor);
  if (number !== SEARCH) return { dn };
  const scope = SCOPES[readInteger(cursor, ENUMERATED)] ?? "";
  readInteger(cursor, ENUMERATED);
  readInteger(cursor);
  readInteger(cursor);
  cursor.skip(readTagged(cursor, 1));
  let filter = "";
  attempt(() => void (filter = readFilter(cursor, 0, unmask)));
  return { dn, scope, ...(filter !== "" && { filter }) };
}

const COMPARISONS: Readonly<Record<number, string>> = { 3: "=", 5: ">=", 6: "<=", 8: "~=" };

/** A filter as people write it; what is compared with is left out. */
function readFilter(cursor: Cursor, depth: number, unmask: boolean): string {
  const { tag, bytes } = readElement(cursor);
  if (depth > FILTER_DEPTH_MAX) throw new Malformed("filter too deep");
  const end = cursor.position + bytes;
  const kind = tag & 31;
  let text = "";
  if (kind <= 2) {
    const sign = kind === 0 ? "&" : kind === 1 ? "|" : "!";
    while (cursor.position < end) text += readFilter(cursor, depth + 1, unmask);
    return `(${sign}${text})`;
  }
  if (kind === 7) return `(${cursor.text(bytes)}=*)`;
  if (kind === 9) text = readExtensible(cursor, end, unmask);
  else if (kind === 4) text = `${readOctets(cursor)}=${readSubstrings(cursor, unmask)}`;
  else {
    const name = readOctets(cursor);
    text = `${name}${COMPARISONS[kind] ?? "="}${unmask ? readOctets(cursor) : "?"}`;
  }
  cursor.skip(end - cursor.position);
  return `(${text})`;
}

/** `name:dn:rule:=value`, of which all but the value may be missing. */
function readExtensible(cursor: Cursor, end: number, unmask: boolean): string {
  let [name, dn, rule, value] = ["", "", "", ""];
  while (cursor.position < end) {
    const { tag, bytes } = readElement(cursor);
    if (tag === 0x81) rule = `:${cursor.text(bytes)}`;
    else if (tag === 0x82) name = cursor.text(bytes);
    else if (tag === 0x83 && unmask) value = cursor.text(bytes);
    else {
      if (tag === 0x84 && cursor.peek() !== 0) dn = ":dn";
      cursor.skip(bytes);
    }
  }
  return `${name}${dn}${rule}:=${unmask ? value : "?"}`;
}

/** Parts in their order, first (0x80), between (0x81) and last (0x82): `a*b*c`. */
function readSubstrings(cursor: Cursor, unmask: boolean): string {
  const end = readTagged(cursor, 0x30) + cursor.position;
  let text = "";
  let tag = 0;
  while (cursor.position < end) {
    const part = readElement(cursor);
    tag = part.tag;
    if (tag !== 0x80) text += "*";
    if (unmask) text += cursor.text(part.bytes);
    else {
      cursor.skip(part.bytes);
      text += "?";
    }
  }
  return tag === 0x82 ? text : `${text}*`;
}

function readResult(
  cursor: Cursor,
  number: number,
  id: number,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  let code = -1;
  let message = "";
  attempt(() => {
    const bytes = readTagged(cursor, ENUMERATED);
    code = readNumber(cursor, bytes);
    cursor.skip(readTagged(cursor, 4));
    message = readOctets(cursor);
  });
  const entries = state.entries.get(id);
  state.entries.delete(id);
  if (number === EXTENDED_RESPONSE && id === state.securing && code === 0) state.encrypted = true;
  return make.response({
    type: NAMES[number] ?? "",
    ...(code >= 0 && { code }),
    status: statusOf(code),
    id,
    more,
    fields: {
      message_id: id,
      ...(code >= 0 && { result_code: code }),
      ...((entries !== undefined || number === 5) && { entries: entries ?? 0 }),
      ...(message !== "" && { error_message: message }),
    },
  });
}

/** 5 and 6 compare, 10 refers, 14: SASL goes on; 1, 51 to 54 and 80 are the server's failures. */
function statusOf(code: number): Status {
  if (code <= 0 || code === 5 || code === 6 || code === 10 || code === 14) return "ok";
  return code === 1 || (code >= 51 && code <= 54) || code === 80 ? "server_error" : "client_error";
}

const NO: Claim = { kind: "no" };

/** SEQUENCE, a small INTEGER, an operation whose length fits into the message. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 7) return length < 7 ? { kind: "maybe" } : NO;
  const [size, at] = lengthAt(bytes, 1);
  if (size < 5 || bytes[at] !== 2 || (bytes[at + 1] ?? 9) > 4) return NO;
  const tagAt = at + 2 + (bytes[at + 1] ?? 0);
  const tag = bytes[tagAt] ?? 0;
  const number = tag & 31;
  // Deletion, abandoning and unbinding are plain, all others made of elements.
  const plain = number === UNBIND || number === 10 || number === ABANDON;
  if ((tag & 0xe0) !== (plain ? 0x40 : 0x60) || NAMES[number] === undefined) return NO;
  const [inner, innerAt] = lengthAt(bytes, tagAt + 1);
  if (inner < 0 || innerAt + inner > at + size) return NO;
  const whole = at + size === length || (at + size < length && (bytes[at + size] ?? 0x30) === 0x30);
  if (!whole && at + size <= length) return NO;
  const side = RESPONSES.has(number) || number === ENTRY || number === REFERENCE;
  return { kind: side ? "response" : "request", score: whole ? 88 : 80 };
}

function lengthAt(bytes: Uint8Array, at: number): [length: number, next: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, at + 1];
  const count = first & 0x7f;
  if (count === 0 || count > 4) return [-1, at];
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[at + i] ?? 0);
  return [length, at + 1 + count];
}
