// SPDX-License-Identifier: Apache-2.0
// Pulsar's binary protocol.
//
//   frame: bytes u32 | command bytes u32 | BaseCommand (protobuf) | [metadata and payload]
//
// Requests and answers carry a request id; SEND and SEND_RECEIPT the producer and its sequence.
// Producers and consumers are numbered when they are made, so their topics are remembered.

import type { Identity } from "../../../../model/message.ts";
import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { envelope, envelopeOf, keyOfId } from "../../../wire/payload/envelope.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../../wire/protocol.ts";
import {
  BYTES,
  readFields,
  readSigned,
  readTextField,
  readVarint,
  VARINT,
} from "../../../wire/protobuf.ts";
import { type Command, COMMANDS, isServerError, type Meaning } from "./pulsar_commands.ts";
import { type MessageHead, readMessageHead } from "./pulsar_message.ts";

const FRAME_BYTES_MAX = 1 << 27;
const COMMAND_BYTES_MAX = 1 << 18;
/** Of what follows the command only so much is read. */
const HEAD_BYTES_MAX = 4_096;
const KNOWN_MAX = 4_096;
const SUBSCRIBE = 4, PRODUCER = 5, SEND = 6, SEND_RECEIPT = 7, MESSAGE = 9, ACK = 10;

const FIELDS = {
  topic: { type: "string", otel: "messaging.destination.name", doc: "topic" },
  subscription: {
    type: "string",
    otel: "messaging.destination.subscription.name",
    doc: "subscription",
  },
  message_id: {
    type: "string",
    otel: "messaging.message.id",
    doc: "ledger, entry, partition and index in the batch",
  },
  request_id: { type: "number", doc: "request id" },
  producer_id: { type: "number", doc: "producer on this connection" },
  consumer_id: { type: "number", doc: "consumer on this connection" },
  sequence_id: { type: "number", doc: "number of the message from its producer" },
  name: { type: "string", otel: "messaging.client.id", doc: "name of the producer or consumer" },
  key: { type: "string", otel: "messaging.pulsar.message.key", doc: "partition key" },
  messages: {
    type: "number",
    otel: "messaging.batch.message_count",
    doc: "messages of a batch, of an ACK, or allowed by FLOW",
  },
  version: { type: "string", doc: "version of the client's or broker's software" },
  broker: { type: "string", doc: "broker that a proxy or lookup names" },
  error_code: { type: "number", doc: "ServerError of the broker" },
  error_message: { type: "string", doc: "text of the error" },
} as const;
type F = typeof FIELDS;

interface Known {
  readonly topic: string;
  readonly subscription: string;
}

interface State {
  readonly tails: Tails;
  /** Of producers and consumers, by number. */
  readonly producers: Map<number, Known>;
  readonly consumers: Map<number, Known>;
  /** Broker that a proxy was asked for. */
  broker: string;
}

export const pulsar = defineProtocol<F, State>({
  name: "pulsar",
  spec: "https://pulsar.apache.org/docs/developing-binary-protocol/",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 7]),
  probe,
  open: () => ({ tails: noTails(), producers: new Map(), consumers: new Map(), broker: "" }),

  read(cursor, way, make, state) {
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    const size = cursor.u32();
    const commandBytes = cursor.u32();
    if (size > FRAME_BYTES_MAX || commandBytes + 4 > size || commandBytes > COMMAND_BYTES_MAX) {
      throw new Malformed("no size of a frame");
    }
    const rest = size - 4;
    const kept = Math.min(rest, commandBytes + HEAD_BYTES_MAX);
    cursor.enter(kept);
    const step = readCommand(cursor, commandBytes, rest > kept, make, state);
    cursor.leave();
    if (rest > kept) keepTail(state.tails, way, step, rest - kept);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

/** What the fields of a command say, by meaning. */
interface Found {
  readonly texts: Partial<Record<Meaning, string>>;
  readonly numbers: Partial<Record<Meaning, number>>;
}

function readCommand(
  cursor: Cursor,
  bytes: number,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  let type = 0;
  let command: Command | undefined;
  const found: Found = { texts: {}, numbers: {} };
  readFields(cursor, bytes, (field, wire) => {
    if (field === 1 && wire === VARINT) type = readVarint(cursor);
    else if (field === type && wire === BYTES) {
      command = COMMANDS[type];
      if (command === undefined) return false;
      readFound(cursor, command, found);
    } else return false;
    return true;
  });
  command ??= COMMANDS[type];
  if (command === undefined) throw new Malformed("no such command");
  let head: MessageHead | null = null;
  if (type === SEND || type === MESSAGE) attempt(() => void (head = readMessageHead(cursor)));
  remember(type, found, state);
  return tell(type, command, found, head, more, make, state);
}

function readFound(cursor: Cursor, command: Command, { texts, numbers }: Found): void {
  readFields(cursor, readVarint(cursor), (field, wire) => {
    const meaning = command.fields[field];
    if (meaning === undefined) return false;
    if (meaning === "message_id" && wire === BYTES) texts[meaning] = readMessageId(cursor);
    else if (meaning === "message_ids" && wire === BYTES) {
      texts.message_id ??= readMessageId(cursor);
      numbers.count = (numbers.count ?? 0) + 1;
      if (numbers.count > 1) return false;
    } else if (wire === BYTES) texts[meaning] = readTextField(cursor);
    else if (wire === VARINT) numbers[meaning] = readVarint(cursor);
    else return false;
    return true;
  });
}

/** MessageIdData: 1 ledger, 2 entry, 3 partition, 4 index in the batch; both -1 if absent. */
function readMessageId(cursor: Cursor): string {
  const parts = [0n, 0n, -1n, -1n];
  readFields(cursor, readVarint(cursor), (field, wire) => {
    if (field > 4 || wire !== VARINT) return false;
    parts[field - 1] = readSigned(cursor);
    return true;
  });
  return parts.join(":");
}

function remember(type: number, { texts, numbers }: Found, state: State): void {
  const known = { topic: texts.topic ?? "", subscription: texts.subscription ?? "" };
  if (type === SUBSCRIBE) keep(state.consumers, numbers.consumer ?? 0, known);
  else if (type === PRODUCER) keep(state.producers, numbers.producer ?? 0, known);
  else if (type === 2) state.broker = texts.broker ?? "";
}

function keep(map: Map<number, Known>, id: number, known: Known): void {
  if (map.size >= KNOWN_MAX) map.delete(map.keys().next().value ?? id);
  map.set(id, known);
}

function tell(
  type: number,
  command: Command,
  found: Found,
  head: MessageHead | null,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  const { texts, numbers } = found;
  const known = numbers.consumer !== undefined
    ? state.consumers.get(numbers.consumer)
    : numbers.producer !== undefined
    ? state.producers.get(numbers.producer)
    : undefined;
  const topic = texts.topic ?? known?.topic ?? "";
  const error = numbers.error;
  const draft: Draft<F> = {
    type: command.name,
    resource: topic,
    domain: state.broker,
    endpoint: topic.slice(topic.lastIndexOf("/") + 1),
    ...(error !== undefined && { code: error }),
    identity: identityOf(type, texts.message_id, head),
    more,
    envelope: envelopeFor(type, found, head),
    fields: {
      ...(topic !== "" && { topic }),
      ...((texts.subscription ?? known?.subscription ?? "") !== "" &&
        { subscription: texts.subscription ?? known?.subscription ?? "" }),
      ...fieldsOf(found, head),
    },
  };
  const id = idOf(type, numbers);
  // An ACK is answered only where it asks for it.
  if (command.kind === "request" || (type === ACK && numbers.request !== undefined)) {
    return make.request({ ...draft, id });
  }
  const status = error === undefined
    ? "ok"
    : isServerError(error)
    ? "server_error"
    : "client_error";
  if (command.kind === "oneway") return make.oneway(draft);
  return make.response({ ...draft, id, status });
}

/** Producers have names of their own and count what they send: both stay with the message. */
function envelopeFor(type: number, { texts, numbers }: Found, head: MessageHead | null) {
  if (type === ACK) {
    return envelope("settle", {
      receipt: `${numbers.consumer ?? 0} ${texts.message_id ?? ""}`,
    });
  }
  if (type !== SEND && type !== MESSAGE) return undefined;
  const isNamed = head !== null && head.producerName !== "" && head.sequence !== "";
  const id = isNamed ? keyOfId("pulsar", head.producerName, head.sequence) : null;
  const receipt = type === SEND ? "" : `${numbers.consumer ?? 0} ${texts.message_id ?? ""}`;
  return envelopeOf(type === SEND ? "publish" : "deliver", id, null, { receipt });
}

function fieldsOf({ texts, numbers }: Found, head: MessageHead | null) {
  const messages = numbers.count ?? (head !== null && head.batch > 0 ? head.batch : undefined);
  const name = texts.name ?? head?.producerName ?? "";
  return {
    ...(texts.message_id !== undefined && { message_id: texts.message_id }),
    ...(numbers.request !== undefined && { request_id: numbers.request }),
    ...(numbers.producer !== undefined && { producer_id: numbers.producer }),
    ...(numbers.consumer !== undefined && { consumer_id: numbers.consumer }),
    ...(numbers.sequence !== undefined && { sequence_id: numbers.sequence }),
    ...(name !== "" && { name }),
    ...(head !== null && head.key !== "" && { key: head.key }),
    ...(messages !== undefined && { messages }),
    ...(texts.version !== undefined && { version: texts.version }),
    ...(texts.broker !== undefined && { broker: texts.broker }),
    ...(numbers.error !== undefined && { error_code: numbers.error }),
    ...(texts.error_text !== undefined && { error_message: texts.error_text }),
  };
}

/** The broker's message id is the same for whoever sends and whoever receives the message. */
function identityOf(
  type: number,
  messageId: string | undefined,
  head: MessageHead | null,
): Identity | null {
  const identity = head?.identity ?? null;
  if (messageId === undefined || identity?.requestId !== undefined) return identity;
  if (type !== MESSAGE && type !== SEND_RECEIPT) return identity;
  return { ...identity, requestId: messageId };
}

function idOf(type: number, numbers: Found["numbers"]): number | string {
  if (numbers.request !== undefined) return numbers.request;
  if (numbers.sequence !== undefined) return `${numbers.producer ?? 0} ${numbers.sequence}`;
  return type === 2 || type === 3 ? "connect" : "ping";
}

const NO: Claim = { kind: "no" };

/** Sizes that fit each other, and a command whose number is repeated by its field. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 13) return length < 13 ? { kind: "maybe" } : NO;
  const u24 = (at: number) =>
    (bytes[at] ?? 0) << 16 | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0);
  const size = (bytes[0] ?? 0) * 2 ** 24 + u24(1);
  const commandBytes = u24(5);
  if (bytes[4] !== 0 || commandBytes + 4 > size || commandBytes > COMMAND_BYTES_MAX) return NO;
  const type = bytes[9] ?? 0;
  const command = COMMANDS[type];
  if (bytes[8] !== 8 || command === undefined || !bodyFits(bytes, type, commandBytes)) return NO;
  const paid = commandBytes + 4 < size;
  if (paid !== (type === SEND || type === MESSAGE)) return NO;
  const side = command.from === "both"
    ? "either"
    : command.from === "client"
    ? "request"
    : "response";
  return { kind: side, score: 92 };
}

/** Behind the type stands the field of that number, as long as the command says. */
function bodyFits(bytes: Uint8Array, type: number, commandBytes: number): boolean {
  const key = type << 3 | BYTES;
  const twoBytes = key >= 0x80;
  const at = twoBytes ? 12 : 11;
  if (bytes[10] !== (twoBytes ? key & 0x7f | 0x80 : key)) return false;
  if (twoBytes && bytes[11] !== key >> 7) return false;
  const first = bytes[at] ?? 0;
  const inner = first < 0x80 ? first : (first & 0x7f) + (bytes[at + 1] ?? 0) * 128;
  const innerAt = at + (first < 0x80 ? 1 : 2);
  return innerAt - 8 + inner === commandBytes;
}
