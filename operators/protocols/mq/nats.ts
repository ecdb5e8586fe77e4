// SPDX-License-Identifier: Apache-2.0
// NATS client protocol. Verbs are not case-sensitive; every line ends in CRLF.
//
//   server: INFO {json} | MSG subject sid [reply] bytes CRLF payload CRLF | +OK | -ERR 'text'
//     | PONG
//           HMSG subject sid [reply] header-bytes total-bytes CRLF headers payload CRLF
//   client: CONNECT {json} | PUB subject [reply] bytes CRLF payload CRLF | SUB | UNSUB | PING
//           HPUB subject [reply] header-bytes total-bytes CRLF headers payload CRLF
//
// A message with a reply subject is a request; the message to that subject on the same connection,
// in the other direction, is its response. Every other message is one-way.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { envelopeOf, keyOfContent, keyOfId } from "../../wire/payload/envelope.ts";
import { dropTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../wire/protocol.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 16_384;
const PAYLOAD_BYTES_MAX = 1 << 26;
const HEADER_BYTES_MAX = 65_536;
const REPLIES_MAX = 4_096;

const FIELDS = {
  subject: {
    type: "string",
    otel: "messaging.destination.name",
    doc: "subject",
  },
  reply: { type: "string", doc: "subject that the response goes to" },
  sid: { type: "string", doc: "id of the subscription" },
  queue: {
    type: "string",
    otel: "messaging.consumer.group.name",
    doc: "queue group of a subscription",
  },
  body_size: {
    type: "number",
    otel: "messaging.message.body.size",
    doc: "bytes of the payload",
  },
  version: { type: "string", doc: "version of the server or the client library" },
  server_name: { type: "string", doc: "name of the server" },
  client_name: { type: "string", otel: "messaging.client.id", doc: "name of the client" },
  message_id: {
    type: "string",
    otel: "messaging.message.id",
    doc: "Nats-Msg-Id, or the sequence number in the stream",
  },
  stream: { type: "string", doc: "stream of JetStream that a message is delivered from" },
  consumer: {
    type: "string",
    otel: "messaging.destination.subscription.name",
    doc: "consumer of JetStream that a message is delivered to",
  },
  redelivered: { type: "boolean", doc: "delivered before" },
  header_status: { type: "string", doc: "status line of the headers, as 503 for no responders" },
  error_message: { type: "string", doc: "text of -ERR" },
} as const;
type F = typeof FIELDS;

interface Side {
  /** Reply subjects of requests that went this way, oldest first. */
  readonly replies: Set<string>;
}

interface State {
  readonly toServer: Side;
  readonly toClient: Side;
  readonly tails: Tails;
  /** The client has answered the greeting: an INFO from now on is news. */
  connected: boolean;
}

export const nats = defineProtocol<F, State>({
  name: "nats",
  spec: "https://docs.nats.io/reference/reference-protocols/nats-protocol",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("IiCcPpHhSsUuMm+-"),
  words: [
    ...["INFO", "CONNECT", "PUB", "HPUB", "SUB", "UNSUB", "MSG", "HMSG", "PING", "PONG"],
    ...["+OK", "-ERR"],
  ],
  probe,
  open: () => ({
    toServer: { replies: new Set() },
    toClient: { replies: new Set() },
    tails: noTails(),
    connected: false,
  }),

  read(cursor, way, make, state) {
    const side = way === "toClient" ? state.toClient : state.toServer;
    const other = way === "toClient" ? state.toServer : state.toClient;
    const rest = passTail(cursor, way, state.tails);
    if (rest !== null) return rest;
    const line = cursor.line(LINE_BYTES_MAX);
    const space = line.search(/[ \t]/);
    const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
    const words = space < 0 ? "" : line.slice(space + 1).trim();
    switch (verb) {
      case "PUB":
      case "HPUB":
      case "MSG":
      case "HMSG":
        return readPayload(
          cursor,
          verb,
          words.split(/[ \t]+/),
          make,
          side,
          other,
          way,
          state.tails,
        );
      case "INFO":
        return readInfo(words, make, state);
      case "CONNECT":
        state.connected = true;
        return make.response({ type: verb, id: "INFO", fields: connectFields(words) });
      case "SUB":
      case "UNSUB":
        return make.oneway(subscription(verb, words.split(/[ \t]+/)));
      case "PING":
        return make.request({ type: verb, endpoint: verb, id: `PING ${way}` });
      case "PONG":
        return make.response({
          type: verb,
          id: `PING ${way === "toClient" ? "toServer" : "toClient"}`,
        });
      case "+OK":
        return make.oneway({ type: verb });
      case "-ERR":
        // Redis says it as well, and repeats what it was sent.
        if (!words.startsWith("'")) throw new Malformed("an error without quotes");
        return make.oneway({ type: verb, ...errorOf(words) });
      default:
        throw new Malformed("no such verb");
    }
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

/** The server greets with INFO, which CONNECT answers; later ones tell of changes. */
function readInfo(words: string, make: Make<F>, state: State): Step {
  const draft = { type: "INFO", fields: infoFields(words) };
  return state.connected
    ? make.oneway(draft)
    : make.request({ ...draft, endpoint: "INFO", id: "INFO" });
}

/** PUB subject [reply] n, MSG subject sid [reply] n; with headers, their size stands before n. */
function readPayload(
  cursor: Cursor,
  verb: string,
  words: readonly string[],
  make: Make<F>,
  side: Side,
  other: Side,
  way: Way,
  tails: Tails,
): Step {
  const headed = verb.startsWith("H");
  const delivered = verb.endsWith("MSG");
  const sizes = headed ? 2 : 1;
  const names = words.slice(0, words.length - sizes);
  const total = Number(words.at(-1));
  const headBytes = headed ? Number(words.at(-2)) : 0;
  const [subject, second, third] = names;
  const least = delivered ? 2 : 1;
  if (subject === undefined || names.length < least || names.length > least + 1) {
    throw new Malformed("not the words of a message");
  }
  if (!(headBytes <= HEADER_BYTES_MAX && total >= headBytes && total <= PAYLOAD_BYTES_MAX)) {
    throw new Malformed("no size of a payload");
  }
  const reply = delivered ? third : second;
  const headers = headed ? readHeaders(cursor, headBytes) : null;
  const bytes = total - headBytes;
  const content = keyOfContent(cursor, bytes, "nats", subject);
  tails[way] = bytes + 2;
  const id = headers?.messageId ?? "";
  const draft: Draft<F> = {
    type: verb,
    resource: subject,
    domain: subject,
    endpoint: endpointOf(subject),
    identity: headers?.identity ?? null,
    more: true,
    envelope: envelopeOf(
      delivered ? "deliver" : "publish",
      id === "" ? null : keyOfId("nats", subject, id),
      content,
      { isAnswered: reply !== undefined },
    ),
    fields: {
      subject: subject,
      body_size: bytes,
      ...(id !== "" && { message_id: id }),
      ...(delivered && reply !== undefined && streamFields(reply)),
      ...(delivered && second !== undefined && { sid: second }),
      ...(reply !== undefined && { reply: reply }),
      ...(headers !== null && headers.status !== "" && { header_status: headers.status }),
    },
  };
  if (other.replies.delete(subject)) {
    const failed = headers?.status.startsWith("5") === true;
    return make.response({ ...draft, id: subject, status: failed ? "server_error" : "ok" });
  }
  if (reply === undefined) return make.oneway(draft);
  side.replies.add(reply);
  if (side.replies.size > REPLIES_MAX) {
    side.replies.delete(side.replies.values().next().value ?? "");
  }
  return make.request({ ...draft, id: reply });
}

/** `NATS/1.0[ status]` CRLF, `name: value` CRLF …, CRLF */
function readHeaders(cursor: Cursor, bytes: number) {
  cursor.enter(bytes);
  const status = cursor.line(256).replace(/^NATS\/1\.0\s*/, "");
  const reader = new IdentityReader();
  let messageId = "";
  while (cursor.captured > 2) {
    const line = cursor.line(HEADER_BYTES_MAX);
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    reader.add(name, value);
    if (name === "nats-msg-id") messageId = value;
  }
  cursor.leave();
  return { status, identity: reader.identity(), messageId };
}

/** $JS.ACK[.domain.account].stream.consumer.deliveries.sequence.…: where JetStream has it from. */
function streamFields(reply: string) {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return {};
  const [stream, consumer, deliveries, sequence] = tokens.slice(tokens.length > 10 ? 4 : 2);
  if (stream === undefined || consumer === undefined || sequence === undefined) return {};
  return {
    ...{ stream, consumer, message_id: `${stream}/${sequence}` },
    ...(deliveries !== "1" && { redelivered: true }),
  };
}

/** Tokens of a subject that are ids rather than names become `*`; inboxes are all alike. */
function endpointOf(subject: string): string {
  if (subject.startsWith("_INBOX.") || subject.startsWith("_R_.")) return "_INBOX.*";
  return subject.split(".").map((token) => isId(token) ? "*" : token).join(".");
}

const isId = (token: string): boolean =>
  /\d{3}|^\d+$/.test(token) || (/^[0-9a-f-]{8,}$/i.test(token) && /\d/.test(token));

function subscription(verb: string, words: readonly string[]): Draft<F> {
  if (verb === "UNSUB") return { type: verb, fields: { sid: words[0] ?? "" } };
  const [subject = "", second] = words;
  const queue = words.length > 2 ? second : undefined;
  return {
    type: verb,
    resource: subject,
    domain: subject,
    endpoint: endpointOf(subject),
    fields: {
      subject: subject,
      sid: words.at(-1) ?? "",
      ...(queue !== undefined && { queue: queue }),
    },
  };
}

/** A text value of a JSON object by name, without parsing the rest: tokens in it stay unread. */
function jsonText(json: string, name: string): string {
  return new RegExp(`"${name}"\\s*:\\s*"([^"\\\\]{0,256})"`).exec(json)?.[1] ?? "";
}

const infoFields = (json: string) => ({
  version: jsonText(json, "version"),
  server_name: jsonText(json, "server_name"),
});

const connectFields = (json: string) => ({
  version: jsonText(json, "version"),
  client_name: jsonText(json, "name"),
});

/** Mistakes of the client, by how their texts begin. */
const CLIENT_ERRORS = /^'?(?:unknown protocol|authoriz|authentic|invalid|permissions|maximum p)/i;

function errorOf(text: string): Draft<F> {
  return {
    status: CLIENT_ERRORS.test(text) ? "client_error" : "server_error",
    fields: { error_message: text.replace(/^'|'$/g, "") },
  };
}

const NO: Claim = { kind: "no" };
/** Clients leave two spaces where a queue group might stand. */
const REQUEST = new RegExp(
  "^(?:" + [
    "CONNECT \\{",
    "PUB \\S+\\s+(?:\\S+\\s+)?\\d+$",
    "HPUB \\S+\\s+(?:\\S+\\s+)?\\d+\\s+\\d+$",
    "SUB \\S+\\s+(?:\\S+\\s+)?\\w+$",
    "UNSUB \\w+",
  ].join("|") + ")",
  "i",
);
const RESPONSE =
  /^(?:INFO \{|MSG \S+\s+\w+\s+(?:\S+\s+)?\d+$|HMSG \S+\s+\w+\s+(?:\S+\s+)?\d+\s+\d+$|-ERR ')/i;

const LINE_BYTES = 512;
/** Enough for a verb and how its JSON begins. */
const VERB_BYTES = 32;

function probe(bytes: Uint8Array, length: number): Claim {
  // Many say +OK: it claims nothing.
  if (bytes[0] === 0x2b) return length < 5 ? { kind: "maybe" } : NO;
  if (!beginsWithVerb(bytes)) return NO;
  const verb = latin1Of(bytes, 0, VERB_BYTES);
  if (/^INFO \{\s*"/i.test(verb)) return { kind: "response", score: 95 };
  if (/^CONNECT \{\s*"/i.test(verb)) return { kind: "request", score: 95 };
  const end = bytes.subarray(0, LINE_BYTES).indexOf(10);
  const cut = end < 0;
  const line = latin1Of(bytes, 0, cut ? LINE_BYTES : end).replace(/\r$/, "");
  if (cut) return length < 16 && /^[A-Z+-]*$/i.test(line) ? { kind: "maybe" } : NO;
  if (bytes[end - 1] !== 13) return NO;
  const payloadEnd = endOfPayload(line, end + 1);
  if (payloadEnd <= length && length < payloadEnd + 2) return { kind: "maybe" };
  if (
    bytes.length >= payloadEnd + 2 && (bytes[payloadEnd] !== 13 || bytes[payloadEnd + 1] !== 10)
  ) {
    return NO;
  }
  if (REQUEST.test(line)) return { kind: "request", score: 85 };
  if (RESPONSE.test(line)) return { kind: "response", score: 85 };
  return /^(?:PING|PONG)$/i.test(line) ? { kind: "either", score: 45 } : NO;
}

/** Behind the payload that the line announces stands CRLF; Infinity where it announces none. */
function endOfPayload(line: string, start: number): number {
  if (!/^H?(?:PUB|MSG) /i.test(line)) return Infinity;
  return start + Number(/\d+$/.exec(line)?.[0] ?? 0);
}

/** Three to seven letters, or a sign before them, and then an end of the word. */
function beginsWithVerb(bytes: Uint8Array): boolean {
  const signed = bytes[0] === 0x2b || bytes[0] === 0x2d;
  for (let at = signed ? 1 : 0; at < Math.min(bytes.length, 8); at++) {
    const byte = bytes[at] as number;
    if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) continue;
    return at > 2 && (byte === 0x20 || byte === 9 || byte === 13);
  }
  return bytes.length < 8;
}
