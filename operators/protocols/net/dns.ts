// SPDX-License-Identifier: Apache-2.0
// DNS over UDP and TCP, mDNS included.
//
//   TCP only: length u16
//   header  : id u16 | QR 1 OPCODE 4 AA TC RD RA Z AD CD RCODE 4 | QD u16 | AN u16 | NS u16
//             | AR u16
//   question: name, type u16, class u16         record: name, type u16, class u16, ttl u32, len u16

import type { Status } from "../../../model/status.ts";
import { anyByte } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type FieldValues } from "../../wire/protocol.ts";
import { formatIpv6 } from "./ipv6_text.ts";
import { decodeLatin1 } from "../../wire/text.ts";

const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
const POINTERS_MAX = 16;
const QUESTIONS_MAX = 10;
const ANSWERS_MAX = 32;
/** Record type that is no record: the extensions of a message. */
const OPT = 41;

/** Record types by number; others are written TYPE123 (RFC 3597). */
const TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  10: "NULL",
  12: "PTR",
  13: "HINFO",
  15: "MX",
  16: "TXT",
  17: "RP",
  18: "AFSDB",
  24: "SIG",
  25: "KEY",
  28: "AAAA",
  29: "LOC",
  33: "SRV",
  35: "NAPTR",
  37: "CERT",
  39: "DNAME",
  41: "OPT",
  42: "APL",
  43: "DS",
  44: "SSHFP",
  46: "RRSIG",
  47: "NSEC",
  48: "DNSKEY",
  50: "NSEC3",
  51: "NSEC3PARAM",
  52: "TLSA",
  59: "CDS",
  60: "CDNSKEY",
  64: "SVCB",
  65: "HTTPS",
  99: "SPF",
  249: "TKEY",
  250: "TSIG",
  251: "IXFR",
  252: "AXFR",
  255: "ANY",
  257: "CAA",
};

const RCODES = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
  "NOTAUTH",
  "NOTZONE",
];

const OPCODES = ["QUERY", "IQUERY", "STATUS", "OPCODE3", "NOTIFY", "UPDATE", "DSO"];

const FIELDS = {
  question: { type: "string", otel: "dns.question.name", doc: "first question's name" },
  question_type: { type: "string", doc: "first question's type" },
  questions: { type: "number", doc: "number of questions, when more than one" },
  opcode: { type: "string", doc: "operation, when it is not QUERY" },
  answers: { type: "string", otel: "dns.answers", doc: "answers as TYPE=value TTL=n; …" },
  rcode: { type: "string", doc: "response code by name" },
  truncated: { type: "boolean", doc: "the TC bit: ask again over TCP" },
} as const;

export const dns = defineProtocol({
  name: "dns",
  spec: "https://www.rfc-editor.org/rfc/rfc1035",
  transports: ["udp", "tcp"],
  fields: FIELDS,
  timeoutNs: 15_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: anyByte(),

  probe(bytes, length): Claim {
    const plain = headerAt(bytes, 0, length);
    if (plain.kind !== "no") return plain;
    const prefixed = (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0);
    return prefixed >= HEADER_BYTES && prefixed + 2 <= length
      ? headerAt(bytes, 2, prefixed)
      : { kind: "no" };
  },

  open: (transport) => ({ prefixed: transport === "tcp" }),

  read(cursor, _way, make, state) {
    if (state.prefixed) {
      // A resolver may write the length apart: wait for the whole message before reading it.
      const length = cursor.u16();
      cursor.enter(length);
    } else cursor.enter(cursor.remaining);
    const base = cursor.position;
    const id = cursor.u16();
    const flags = cursor.u16();
    const questions = cursor.u16(), answers = cursor.u16(), authorities = cursor.u16();
    cursor.skip(2);
    const response = (flags & 0x8000) !== 0;
    const asked = readQuestions(cursor, base, questions);
    const { name, type } = questions === 0 && answers > 0 ? firstRecord(cursor, base) : asked;
    const fields = questionFields(asked.name, asked.type, questions, flags);
    if (!response) {
      cursor.leave();
      return make.request({ type, resource: name, endpoint: name, id, fields });
    }
    const rcode = flags & 15;
    const records = readRecords(cursor, base, Math.min(answers + authorities, ANSWERS_MAX));
    cursor.leave();
    fields.rcode = RCODES[rcode] ?? `RCODE${rcode}`;
    if (records.text !== "") fields.answers = records.text;
    return make.response({
      type,
      resource: name,
      endpoint: name,
      id,
      code: rcode,
      status: statusOf(rcode),
      clipped: records.clipped,
      fields,
    });
  },
});

type DnsFields = {
  -readonly [N in keyof FieldValues<typeof FIELDS>]: FieldValues<typeof FIELDS>[N];
};

function questionFields(
  name: string,
  type: string,
  questions: number,
  flags: number,
): DnsFields {
  const fields: DnsFields = {};
  const opcode = flags >> 11 & 15;
  if (name !== "") fields.question = name;
  if (type !== "") fields.question_type = type;
  if (questions > 1) fields.questions = questions;
  if (opcode !== 0) fields.opcode = OPCODES[opcode] ?? `OPCODE${opcode}`;
  if ((flags & 0x0200) !== 0) fields.truncated = true;
  return fields;
}

/** NXDOMAIN and FORMERR are the asker's; everything else but success is the server's. */
function statusOf(rcode: number): Status {
  if (rcode === 0) return "ok";
  return rcode === 1 || rcode === 3 ? "client_error" : "server_error";
}

/** Judges 12 bytes of header and the first question at `at`; `length` is that of the message. */
function headerAt(bytes: Uint8Array, at: number, length: number): Claim {
  if (length < HEADER_BYTES || bytes.length < at + HEADER_BYTES) return NO;
  const flags = u16(bytes, at + 2);
  const response = (flags & 0x8000) !== 0;
  const opcode = flags >> 11 & 15;
  const questions = u16(bytes, at + 4), answers = u16(bytes, at + 6);
  if (opcode > 6 || opcode === 3 || (flags & 0x0040) !== 0) return NO;
  if (questions > QUESTIONS_MAX || (questions === 0 && (!response || answers === 0))) return NO;
  if (!response && ((flags & 15) !== 0 || (opcode === 0 && answers > 16))) return NO;
  // Records of answers, authorities and additional ones.
  if (answers > 512 || u16(bytes, at + 8) > 512 || u16(bytes, at + 10) > 512) return NO;
  if (questions > 0) {
    if (!questionAt(bytes, at + HEADER_BYTES)) return NO;
    return response ? RESPONSE : REQUEST;
  }
  // Records alone: the first of them has to be one.
  return questionAt(bytes, at + HEADER_BYTES) ? UNASKED : NO;
}

const u16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) << 8 | (bytes[at + 1] as number);

/** A name of plain labels, then a known type and class; as a record begins, too. */
function questionAt(bytes: Uint8Array, start: number): boolean {
  if (isNetbiosName(bytes, start)) return false;
  let at = start;
  for (let label = bytes[at] ?? 64; label !== 0; label = bytes[at] ?? 64) {
    if (label > 63 || at + label + 1 - start > NAME_BYTES_MAX) return false;
    for (let i = at + 1; i <= at + label; i++) if ((bytes[i] ?? 0) < 0x20) return false;
    at += label + 1;
  }
  const type = (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0);
  const klass = ((bytes[at + 3] ?? 0) << 8 | (bytes[at + 4] ?? 0)) & 0x7fff;
  return TYPES[type] !== undefined && (klass === 1 || klass === 3 || klass === 255) &&
    at + 5 <= bytes.length;
}

/** NetBIOS has messages of the same form: 16 bytes as 32 letters from A to P. */
function isNetbiosName(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 32) return false;
  for (let i = at + 1; i <= at + 32; i++) {
    const letter = bytes[i] ?? 0;
    if (letter < 0x41 || letter > 0x50) return false;
  }
  return true;
}

const NO: Claim = { kind: "no" };
const REQUEST: Claim = { kind: "request", score: 85 };
const RESPONSE: Claim = { kind: "response", score: 85 };
/** Records without a question, as mDNS has them. */
const UNASKED: Claim = { kind: "response", score: 60 };

const typeName = (type: number): string => TYPES[type] ?? `TYPE${type}`;

function readQuestions(
  cursor: Cursor,
  base: number,
  count: number,
): { name: string; type: string } {
  if (count > QUESTIONS_MAX) throw new Malformed("more questions than a message has room for");
  const first = { name: "", type: "" };
  for (let i = 0; i < count; i++) {
    const name = readName(cursor, base);
    const type = typeName(cursor.u16());
    cursor.skip(2);
    if (i === 0) {
      first.name = name;
      first.type = type;
    }
  }
  return first;
}

/** Records that nobody asked for (mDNS) are about what the first of them is about. */
function firstRecord(cursor: Cursor, base: number): { name: string; type: string } {
  const start = cursor.position;
  const name = readName(cursor, base);
  const type = typeName(cursor.u16());
  cursor.rewind(start);
  return { name, type };
}

/** Answers and authorities as text, as many as were captured. */
function readRecords(
  cursor: Cursor,
  base: number,
  count: number,
): { text: string; clipped: boolean } {
  let text = "";
  for (let i = 0; i < count; i++) {
    if (cursor.captured < 11) return { text, clipped: cursor.remaining > 0 };
    passName(cursor);
    const type = cursor.u16();
    cursor.skip(2);
    const ttl = cursor.u32();
    const bytes = cursor.u16();
    const end = cursor.position + bytes;
    if (bytes > cursor.captured) return { text, clipped: true };
    const value = readValue(cursor, base, type, bytes);
    cursor.rewind(end);
    if (type === OPT) continue;
    if (text !== "") text += "; ";
    text += `${typeName(type)}=${value} TTL=${ttl}`;
  }
  return { text, clipped: false };
}

function readValue(cursor: Cursor, base: number, type: number, bytes: number): string {
  switch (type) {
    case 1:
      return `${cursor.u8()}.${cursor.u8()}.${cursor.u8()}.${cursor.u8()}`;
    case 28:
      return formatIpv6(cursor.bytes(16));
    case 2:
    case 5:
    case 6:
    case 12:
    case 39:
      return readName(cursor, base);
    case 15:
      return `${cursor.u16()} ${readName(cursor, base)}`;
    case 33:
      return `${cursor.u16()} ${cursor.u16()} ${cursor.u16()} ${readName(cursor, base)}`;
    case 16:
    case 99:
      return readStrings(cursor, bytes);
    default:
      return `${bytes} bytes`;
  }
}

function readStrings(cursor: Cursor, bytes: number): string {
  const end = cursor.position + bytes;
  let text = "";
  while (cursor.position < end) {
    const n = cursor.u8();
    if (cursor.position + n > end) throw new Malformed("character string past its record");
    text += cursor.latin1(n);
  }
  return text.replace(/[^\x20-\x7e]/g, "?");
}

/** The name being read, with dots for the lengths of its labels. */
const name = new Uint8Array(NAME_BYTES_MAX + 1);

/** A domain name, compression pointers followed, without the final dot; the root is ".". */
function readName(cursor: Cursor, base: number): string {
  const buffer = cursor.buffer;
  const message = cursor.at - cursor.position + base;
  let at = cursor.at, resume = -1, length = 0, pointers = 0;
  for (;;) {
    const label = byteAt(cursor, at++);
    if (label === 0) break;
    if (label < 64) {
      if (length + label >= NAME_BYTES_MAX) throw new Malformed("domain name over 255 bytes");
      if (at + label > cursor.end) byteAt(cursor, at + label - 1);
      if (length > 0) name[length++] = 0x2e;
      for (const last = at + label; at < last; at++) {
        const letter = buffer[at] as number;
        name[length++] = letter > 0x20 && letter < 0x7f ? letter : 0x3f;
      }
    } else if (label >= 192) {
      const target = (label & 63) << 8 | byteAt(cursor, at++);
      if (resume < 0) resume = at;
      if (++pointers > POINTERS_MAX || message + target >= at - 2) {
        throw new Malformed("compression pointer that does not point back");
      }
      at = message + target;
    } else throw new Malformed("label type that does not exist");
  }
  cursor.at = resume < 0 ? at : resume;
  return length === 0 ? "." : decodeLatin1(name, 0, length);
}

/** Whose record it is, is not told: the name is passed, pointers not followed. */
function passName(cursor: Cursor): void {
  for (;;) {
    const label = cursor.u8();
    if (label === 0) return;
    if (label < 64) cursor.skip(label);
    else if (label >= 192) return cursor.skip(1);
    else throw new Malformed("label type that does not exist");
  }
}

/** Throws as the cursor would where the byte is not at hand. */
function byteAt(cursor: Cursor, at: number): number {
  if (at >= cursor.end) cursor.need(at + 1 - cursor.at);
  return cursor.buffer[at] as number;
}
