// SPDX-License-Identifier: Apache-2.0
// OpenWire, the protocol of ActiveMQ.
//
//   frame         : bytes u32 | type u8 | fields (see openwire_values.ts)
//   WireFormatInfo: type 1 | "ActiveMQ" | version u32 | there u8, properties
//                   (loose, sent first by both)
//
// What both ends want (tight encoding, cache) holds for all that follows. A connection that was
// joined midway shows by the byte behind the type which encoding it has.

import { attempt } from "../../../wire/attempt.ts";
import { envelope, envelopeOf, keyOfId } from "../../../wire/payload/envelope.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import { COMMANDS, isMessage } from "./openwire_commands.ts";
import { type Found, readProperties, Unmarshaller, type WireFormat } from "./openwire_values.ts";
import { latin1Of } from "../../../wire/text.ts";

const FRAME_BYTES_MAX = 1 << 27;
/** Of a longer frame only so much is read: properties lie behind the body. */
const READ_BYTES_MAX = 1 << 18;
const WIRE_FORMAT_INFO = 1, DISPATCH = 21, ACK = 22, MAGIC = "ActiveMQ";

const FIELDS = {
  destination: { type: "string", otel: "messaging.destination.name", doc: "queue or topic" },
  message_id: { type: "string", otel: "messaging.message.id", doc: "message id" },
  correlation_id: {
    type: "string",
    otel: "messaging.message.conversation_id",
    doc: "correlation id",
  },
  reply_to: { type: "string", doc: "destination of the answer" },
  body_size: { type: "number", otel: "messaging.message.body.size", doc: "bytes of the body" },
  messages: {
    type: "number",
    otel: "messaging.batch.message_count",
    doc: "messages that are acknowledged",
  },
  connection: { type: "string", doc: "id of the connection" },
  session: { type: "string", doc: "id of the session" },
  producer: { type: "string", doc: "id of the producer" },
  consumer: { type: "string", doc: "id of the consumer" },
  removed: { type: "string", doc: "id of what is closed" },
  client_id: { type: "string", otel: "messaging.client.id", doc: "id of the client" },
  broker_url: { type: "string", doc: "URL of the broker" },
  command_id: { type: "number", doc: "command id" },
  version: { type: "number", otel: "network.protocol.version", doc: "version of OpenWire" },
  exception: { type: "string", otel: "exception.type", doc: "class of the exception" },
  error_message: { type: "string", doc: "text of the exception" },
} as const;
type F = typeof FIELDS;

/** What one end said in its WireFormatInfo. */
interface Wish {
  readonly tight: boolean;
  readonly cached: boolean;
  readonly unsized: boolean;
  readonly version: number;
}

interface State {
  readonly tails: Tails;
  readonly wishes: Partial<Record<Way, Wish>>;
  readonly caches: Record<Way, Map<number, string>>;
}

export const openwire = defineProtocol<F, State>({
  name: "openwire",
  spec:
    "https://activemq.apache.org/components/classic/documentation/openwire-version-2-specification",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 7]),
  probe,
  open: () => ({
    tails: noTails(),
    wishes: {},
    caches: { toServer: new Map(), toClient: new Map(), unknown: new Map() },
  }),

  read(cursor, way, make, state) {
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    const size = cursor.u32();
    if (size < 1 || size > FRAME_BYTES_MAX) throw new Malformed("no size of a frame");
    const kept = Math.min(size, READ_BYTES_MAX);
    cursor.enter(kept);
    const type = cursor.u8();
    const step = type === WIRE_FORMAT_INFO
      ? readWireFormat(cursor, way, make, state)
      : readCommand(cursor, type, way, size > kept, make, state);
    cursor.leave();
    if (size > kept) keepTail(state.tails, way, step, size - kept);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

function readWireFormat(cursor: Cursor, way: Way, make: Make<F>, state: State): Step {
  if (cursor.latin1(MAGIC.length) !== MAGIC) throw new Malformed("not ActiveMQ");
  const version = cursor.u32();
  const on = new Set<string>();
  if (cursor.u8() !== 0) {
    cursor.skip(4);
    readProperties(cursor, (name, value) => {
      if (value === "true") on.add(name);
    });
  }
  state.wishes[way] = {
    tight: on.has("tightencodingenabled"),
    cached: on.has("cacheenabled"),
    unsized: on.has("sizeprefixdisabled"),
    version,
  };
  return make.oneway({ type: "WireFormatInfo", fields: { version } });
}

/** The encoding that both ends agreed to, or that the byte behind the type shows. */
function formatOf(cursor: Cursor, way: Way, state: State): WireFormat {
  const cache = state.caches[way];
  const { toServer, toClient } = state.wishes;
  if (toServer === undefined || toClient === undefined) {
    // A command id begins with 0, the number of bytes of bits does not.
    return { tight: cursor.peek() !== 0, cached: false, version: 12, cache };
  }
  if (toServer.unsized && toClient.unsized) throw new Malformed("frames without their size");
  return {
    tight: toServer.tight && toClient.tight,
    cached: toServer.cached && toClient.cached,
    version: Math.min(toServer.version, toClient.version),
    cache,
  };
}

function readCommand(
  cursor: Cursor,
  type: number,
  way: Way,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  const command = COMMANDS[type];
  if (command === undefined) throw new Malformed("no such command");
  const format = formatOf(cursor, way, state);
  const found: Found = {
    texts: new Map(),
    numbers: new Map(),
    reader: new IdentityReader(),
    errorClass: "",
    errorText: "",
  };
  attempt(() => void new Unmarshaller(cursor, format, found).read(command.ops));
  const { texts, numbers } = found;
  const kind = type >= 30 && type <= 34 ? "answers" : "command_id";
  // What says whether it asks or answers was not captured.
  if (!numbers.has(kind) && cursor.remaining > cursor.captured) cursor.needAll();
  const destination = texts.get("destination") ?? "";
  const draft = {
    type: command.name,
    resource: destination,
    endpoint: destination,
    identity: found.reader.identity(),
    more,
    envelope: envelopeFor(type, way, texts),
    fields: fieldsOf(found),
  };
  if (numbers.has("answers")) {
    const failed = type === 31;
    return make.response({
      ...draft,
      id: numbers.get("answers") ?? 0,
      status: failed ? "server_error" : "ok",
    });
  }
  if (numbers.has("response_required") && type !== DISPATCH) {
    return make.request({ ...draft, id: numbers.get("command_id") ?? 0 });
  }
  return make.oneway({ ...draft, status: type === 16 ? "server_error" : "ok" });
}

/** The last number of a message's id is the broker's own count. */
function envelopeFor(type: number, way: Way, texts: ReadonlyMap<string, string>) {
  const id = texts.get("message_id") ?? "";
  if (id === "") return undefined;
  const receipt = `${texts.get("consumer") ?? ""} ${id}`;
  if (type === ACK) return envelope("settle", { receipt });
  const role = type === DISPATCH ? "deliver" : "publish";
  if (type !== DISPATCH && (!isMessage(type) || way === "toClient")) return undefined;
  const key = keyOfId("openwire", id.slice(0, id.lastIndexOf(":")));
  return envelopeOf(role, key, null, { receipt });
}

const TEXTS = [
  ...["destination", "message_id", "correlation_id", "reply_to", "connection", "session"],
  ...["producer", "consumer", "removed", "client_id", "broker_url"],
] as const;
const NUMBERS = ["body_size", "messages", "command_id"] as const;

function fieldsOf({ texts, numbers, errorClass, errorText }: Found) {
  const fields: Partial<Record<(typeof TEXTS)[number], string>> = {};
  const counts: Partial<Record<(typeof NUMBERS)[number], number>> = {};
  for (const name of TEXTS) {
    const text = texts.get(name);
    if (text !== undefined) fields[name] = text;
  }
  for (const name of NUMBERS) {
    const number = numbers.get(name);
    if (number !== undefined) counts[name] = number;
  }
  return {
    ...fields,
    ...counts,
    ...(errorClass !== "" && { exception: errorClass }),
    ...(errorText !== "" && { error_message: errorText }),
  };
}

const NO: Claim = { kind: "no" };

/** WireFormatInfo has its magic; of other commands, sizes must lead from one to the next. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 13) return length < 13 ? { kind: "maybe" } : NO;
  const type = bytes[4] ?? 0;
  const size = (bytes[0] ?? 0) * 2 ** 24 + (bytes[1] ?? 0) * 2 ** 16 + (bytes[2] ?? 0) * 2 ** 8 +
    (bytes[3] ?? 0);
  if (size < 8 || COMMANDS[type] === undefined) return NO;
  if (type === WIRE_FORMAT_INFO) {
    const magic = latin1Of(bytes, 5, 13);
    return magic === MAGIC ? { kind: "either", score: 100 } : NO;
  }
  if (size + 4 !== length) return NO;
  if (type >= 30 && type <= 34) {
    // A response: bits, command id, and the id that it answers.
    return bytes[5] === 1 && size === 11 && bytes[7] === 0 ? { kind: "response", score: 85 } : NO;
  }
  return namesAnId(bytes) ? { kind: type === DISPATCH ? "response" : "request", score: 85 } : NO;
}

/** Ids of clients begin with "ID:" and the name of the host. */
function namesAnId(bytes: Uint8Array): boolean {
  for (let at = 9; at < Math.min(bytes.length - 3, 64); at++) {
    if (bytes[at] === 0x49 && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x3a) return true;
  }
  return false;
}
