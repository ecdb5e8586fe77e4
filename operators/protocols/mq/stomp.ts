// SPDX-License-Identifier: Apache-2.0
// STOMP 1.0 to 1.2.
//
//   frame: COMMAND LF | name:value LF … | LF | body | NUL
//
// CR LF may end lines, and LF may stand between frames.
//
// `content-length` says how long the body is, otherwise the first NUL ends it. A frame with a
// `receipt` header is a request that RECEIPT or ERROR answers; every other frame is one-way.

import type { Identity } from "../../../model/message.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { envelope, envelopeOf, keyInFrame, keyOfContent } from "../../wire/payload/envelope.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../wire/protocol.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 8_192;
const HEADERS_MAX = 128;
const BODY_BYTES_MAX = 1 << 26;
/** Bodies without their length are looked through for their end. */
const UNSIZED_BYTES_MAX = 1 << 18;

const FIELDS = {
  destination: { type: "string", otel: "messaging.destination.name", doc: "destination" },
  message_id: { type: "string", otel: "messaging.message.id", doc: "message id" },
  correlation_id: {
    type: "string",
    otel: "messaging.message.conversation_id",
    doc: "correlation id",
  },
  subscription: { type: "string", doc: "id of the subscription" },
  transaction: { type: "string", doc: "transaction" },
  receipt: { type: "string", doc: "receipt that is asked for or given" },
  body_size: { type: "number", otel: "messaging.message.body.size", doc: "bytes of the body" },
  version: { type: "string", otel: "network.protocol.version", doc: "version or versions" },
  host: { type: "string", otel: "server.address", doc: "virtual host" },
  server: { type: "string", doc: "name and version of the server" },
  error_message: { type: "string", doc: "message header of ERROR" },
} as const;
type F = typeof FIELDS;

const CLIENT = new Set([
  ...["CONNECT", "STOMP", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN"],
  ...["COMMIT", "ABORT", "DISCONNECT"],
]);
const SERVER = new Set(["CONNECTED", "MESSAGE", "RECEIPT", "ERROR"]);

export const stomp = defineProtocol<F, Tails>({
  name: "stomp",
  spec: "https://stomp.github.io/stomp-specification-1.2.html",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("CSUABDMRE\n"),
  words: [...CLIENT, ...SERVER],
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    if (cursor.peek() === 0x0a || cursor.peek() === 0x0d) {
      cursor.skip(1);
      return NOTHING;
    }
    const command = cursor.line(32);
    if (!CLIENT.has(command) && !SERVER.has(command)) throw new Malformed("no such command");
    const headers = readHeaders(cursor);
    const { length } = headers;
    const bytes = length ?? bodyBytes(cursor);
    const destination = headers.values.get("destination") ?? "";
    const key = command !== "SEND" && command !== "MESSAGE"
      ? null
      : length === null
      ? keyInFrame(cursor, bytes, "stomp", destination)
      : keyOfContent(cursor, bytes, "stomp", destination);
    if (length === null) cursor.skip(bytes + 1);
    const step = tell(command, headers, { bytes, key }, length !== null, make);
    if (length !== null) keepTail(tails, way, step, length + 1);
    return step;
  },

  lost: dropTail,
});

const NOTHING: Step = { kind: "nothing" };

/** Bytes up to the NUL that ends a body without its length. */
function bodyBytes(cursor: Cursor): number {
  const bytes = cursor.find(0);
  if (bytes >= 0) return bytes;
  if (cursor.captured > UNSIZED_BYTES_MAX) throw new Malformed("body without an end");
  cursor.need(cursor.captured + 1);
  return 0;
}

interface Headers {
  readonly values: ReadonlyMap<string, string>;
  readonly length: number | null;
  readonly identity: Identity | null;
}

/** The first of several headers of the same name counts. */
function readHeaders(cursor: Cursor): Headers {
  const values = new Map<string, string>();
  const reader = new IdentityReader();
  for (let count = 0;; count++) {
    const line = cursor.line(LINE_BYTES_MAX);
    if (line === "") break;
    const colon = line.indexOf(":");
    if (colon < 1 || count > HEADERS_MAX) throw new Malformed("no header");
    const name = line.slice(0, colon).toLowerCase();
    const value = unescape(line.slice(colon + 1));
    if (!values.has(name)) values.set(name, value);
    reader.add(name, value);
  }
  const text = values.get("content-length");
  const length = text === undefined ? null : Number(text);
  if (length !== null && !(length >= 0 && length <= BODY_BYTES_MAX)) throw new Malformed("length");
  return { values, length, identity: reader.identity() };
}

const unescape = (text: string): string =>
  text.includes("\\")
    ? text.replaceAll(/\\([rnc\\])/g, (_all, letter: string) => ESCAPES[letter] ?? letter)
    : text;
const ESCAPES: Readonly<Record<string, string>> = { r: "\r", n: "\n", c: ":" };

function tell(
  command: string,
  { values, identity }: Headers,
  { bytes, key }: { readonly bytes: number; readonly key: bigint | null },
  more: boolean,
  make: Make<F>,
): Step {
  const get = (name: string): string => values.get(name) ?? "";
  const destination = get("destination");
  const receipt = get("receipt");
  const answers = get("receipt-id");
  const draft: Draft<F> = {
    type: command,
    resource: destination,
    domain: get("host"),
    endpoint: destination,
    identity,
    more,
    envelope: envelopeFor(command, get, key),
    fields: fieldsOf(values, command, bytes),
  };
  if (command === "CONNECT" || command === "STOMP") {
    return make.request({ ...draft, id: "connect" });
  }
  if (command === "CONNECTED") return make.response({ ...draft, id: "connect" });
  if (command === "ERROR") {
    const failed = { ...draft, status: "client_error" as const };
    return answers === "" ? make.oneway(failed) : make.response({ ...failed, id: answers });
  }
  if (command === "RECEIPT") return make.response({ ...draft, id: answers });
  return receipt === "" ? make.oneway(draft) : make.request({ ...draft, id: receipt });
}

/** What acknowledges a message names its `ack` header, before version 1.2 its id. */
function envelopeFor(command: string, get: (name: string) => string, key: bigint | null) {
  switch (command) {
    case "SEND":
      return envelopeOf("publish", null, key);
    case "MESSAGE":
      return envelopeOf("deliver", null, key, { receipt: get("ack") || get("message-id") });
    case "ACK":
    case "NACK":
      return envelope("settle", { receipt: get("id") || get("message-id") });
    default:
      return undefined;
  }
}

/** Login and passcode are not among them. */
const NAMES = {
  "destination": "destination",
  "message-id": "message_id",
  "correlation-id": "correlation_id",
  "transaction": "transaction",
  "receipt": "receipt",
  "receipt-id": "receipt",
  "subscription": "subscription",
  "host": "host",
  "server": "server",
  "version": "version",
  "accept-version": "version",
} as const;

function fieldsOf(values: ReadonlyMap<string, string>, command: string, bytes: number) {
  const fields: { -readonly [N in (typeof NAMES)[keyof typeof NAMES]]?: string } = {};
  for (const [header, name] of Object.entries(NAMES)) {
    const value = values.get(header);
    if (value !== undefined) fields[name] = value;
  }
  const id = values.get("id");
  if (id !== undefined && command.endsWith("SUBSCRIBE")) fields.subscription = id;
  const message = values.get("message");
  return {
    ...fields,
    ...((command === "SEND" || command === "MESSAGE") && { body_size: bytes }),
    ...(command === "ERROR" && message !== undefined && { error_message: message }),
  };
}

const NO: Claim = { kind: "no" };
const HEAD = /^\n*([A-Z]+)\r?\n(?:[a-zA-Z0-9_-]{1,64}:[^\n]*\n|\r?\n\0)/;

function probe(bytes: Uint8Array): Claim {
  let at = 0;
  while (bytes[at] === 0x0a) at++;
  while ((bytes[at] ?? 0) >= 0x41 && (bytes[at] ?? 0) <= 0x5a) at++;
  if (bytes[at] !== 0x0a && bytes[at] !== 0x0d) return NO;
  const text = latin1Of(bytes, 0, 512);
  const command = HEAD.exec(text)?.[1] ?? "";
  if (CLIENT.has(command)) return { kind: "request", score: 92 };
  if (SERVER.has(command)) return { kind: "response", score: 92 };
  return NO;
}
