// SPDX-License-Identifier: Apache-2.0
// RocketMQ's remoting protocol.
//
//   frame: bytes u32 | form u8 (0 JSON, 1 binary), header bytes u24 | header | body
//   flag of the header: 1 response, 2 one-way
//
// Both ends may ask; opaque pairs an answer with its request. Properties of messages, which carry
// trace context, lie in the header of a send and in the body of a pull response.

import type { Identity } from "../../../../model/message.ts";
import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { envelope, envelopeOf, keyOfId } from "../../../wire/payload/envelope.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../../wire/long_frame.ts";
import { present } from "../../../wire/present.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../../wire/protocol.ts";
import { REQUEST_CODES, statusOf } from "./rocketmq_codes.ts";
import { type Header, readHeader } from "./rocketmq_header.ts";
import { type Properties, readProperties, readStored, type Stored } from "./rocketmq_message.ts";
import { latin1Of } from "../../../wire/text.ts";

const FRAME_BYTES_MAX = 1 << 26;
const HEADER_BYTES_MAX = 1 << 18;
/** Of a body only so much is read. */
const BODY_BYTES_MAX = 8_192;
const RESPONSE = 1, ONE_WAY = 2;

const FIELDS = {
  topic: { type: "string", otel: "messaging.destination.name", doc: "topic" },
  group: {
    type: "string",
    otel: "messaging.consumer.group.name",
    doc: "group of producers or consumers",
  },
  queue_id: {
    type: "number",
    otel: "messaging.destination.partition.id",
    doc: "queue of the topic",
  },
  message_id: { type: "string", otel: "messaging.message.id", doc: "key that the library gave" },
  keys: { type: "string", otel: "messaging.rocketmq.message.keys", doc: "keys of the message" },
  tags: { type: "string", otel: "messaging.rocketmq.message.tag", doc: "tag of the message" },
  offset: { type: "number", doc: "offset in the queue" },
  body_size: { type: "number", otel: "messaging.message.body.size", doc: "bytes of the body" },
  request_code: { type: "number", doc: "code of the request" },
  response_code: { type: "number", doc: "code of the response" },
  opaque: { type: "number", doc: "id of the request" },
  remark: { type: "string", doc: "text of the response" },
  language: { type: "string", doc: "language of the sender's library" },
  version: { type: "number", doc: "version of the sender's library, as a number" },
} as const;
type F = typeof FIELDS;

export const rocketmq = defineProtocol<F, Tails>({
  name: "rocketmq",
  spec: "https://rocketmq.apache.org/docs/domainModel/01main/",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 3]),
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    const size = cursor.u32();
    const form = cursor.u8();
    const headerBytes = cursor.u24();
    if (size > FRAME_BYTES_MAX || headerBytes + 4 > size) throw new Malformed("no size of a frame");
    if (form > 1 || headerBytes > HEADER_BYTES_MAX) throw new Malformed("no form of a header");
    const rest = size - 4;
    const kept = Math.min(rest, headerBytes + BODY_BYTES_MAX);
    cursor.enter(kept);
    const header = readHeader(cursor, form === 1, headerBytes);
    const bodyBytes = rest - headerBytes;
    const step = (header.flag & RESPONSE) !== 0
      ? readResponse(cursor, header, bodyBytes, rest > kept, make)
      : readRequest(header, bodyBytes, rest > kept, make);
    cursor.leave();
    if (rest > kept) keepTail(tails, way, step, rest - kept);
    return step;
  },

  lost: dropTail,
});

function readRequest(header: Header, bodyBytes: number, more: boolean, make: Make<F>): Step {
  const { ext } = header;
  // SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE have letters for names.
  const short = ext.has("b") && ext.has("i");
  const topic = ext.get(short ? "b" : "topic") ?? "";
  const group = short
    ? ext.get("a") ?? ""
    : ext.get("producerGroup") || ext.get("consumerGroup") || ext.get("group") || "";
  const queue = ext.get(short ? "e" : "queueId") ?? "";
  const text = ext.get(short ? "i" : "properties");
  const properties = text === undefined ? null : readProperties(text);
  const draft = {
    type: REQUEST_CODES.get(header.code) ?? String(header.code),
    resource: topic || group,
    domain: group,
    endpoint: topic !== "" && queue !== "" ? `${topic}-${queue}` : topic,
    id: header.opaque,
    identity: identityOf(properties, ext),
    more,
    envelope: envelopeFor(header.code, properties),
    fields: present({
      topic,
      group,
      queue_id: queueOf(queue),
      message_id: properties?.uniqueKey,
      keys: properties?.keys,
      tags: properties?.tags,
      body_size: properties === null ? undefined : bodyBytes,
      request_code: header.code,
      opaque: header.opaque,
      language: header.language,
      version: header.version,
    }),
  };
  return (header.flag & ONE_WAY) !== 0 ? make.oneway(draft) : make.request(draft);
}

/** A message that is sent bears a key of its library; a pull is answered by messages. */
function envelopeFor(code: number, properties: Properties | null) {
  if (PULLS.has(code)) return envelope("receive");
  if (properties === null || properties.uniqueKey === "") return undefined;
  return envelopeOf("publish", keyOfId("rocketmq", properties.uniqueKey), null);
}

/** PULL_MESSAGE, LITE_PULL_MESSAGE and POP_MESSAGE. */
const PULLS: ReadonlySet<number> = new Set([11, 361, 3442, 200_050]);

/** Of the message, else of the command itself. */
function identityOf(
  properties: Properties | null,
  ext: ReadonlyMap<string, string>,
): Identity | null {
  if (properties?.identity !== undefined && properties.identity !== null) {
    return properties.identity;
  }
  const traceId = ext.get("traceId");
  return traceId === undefined || traceId === "" ? null : { traceId };
}

const queueOf = (text: string): number | undefined =>
  /^\d{1,9}$/.test(text) ? Number(text) : undefined;

function readResponse(
  cursor: Cursor,
  header: Header,
  bodyBytes: number,
  more: boolean,
  make: Make<F>,
): Step {
  const stored: Stored[] = [];
  if (header.code === 0 && bodyBytes > 90) {
    attempt(() => {
      while (stored.length < STORED_MAX && cursor.remaining > 90) stored.push(readStored(cursor));
    });
  }
  return make.response({
    code: header.code,
    status: statusOf(header.code),
    id: header.opaque,
    more,
    ...responseOf(header, stored[0] ?? null),
    deliveries: stored.map((each) => delivery(header, each)),
  });
}

/** Messages of one pull that are told one by one. */
const STORED_MAX = 32;

/** A pulled message. */
function delivery(header: Header, stored: Stored): Draft<F> {
  const { topic, queueId, uniqueKey } = stored;
  const id = uniqueKey === "" ? null : keyOfId("rocketmq", uniqueKey);
  return {
    type: "DELIVER",
    resource: topic,
    endpoint: `${topic}-${queueId}`,
    ...responseOf(header, stored),
    envelope: envelopeOf("deliver", id, null),
  };
}

function responseOf({ code, remark, version, ext }: Header, stored: Stored | null) {
  const messageId = ext.get("msgId");
  return {
    identity: stored?.identity ?? null,
    fields: present({
      topic: stored?.topic,
      queue_id: stored?.queueId ?? queueOf(ext.get("queueId") ?? ""),
      offset: stored?.offset,
      body_size: stored?.bodyBytes,
      message_id: stored?.uniqueKey || messageId,
      keys: stored?.keys,
      tags: stored?.tags,
      response_code: code,
      remark,
      version,
    }),
  };
}

const NO: Claim = { kind: "no" };

/** A header of JSON that opens with an object; of the binary form, whose sizes agree. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 12) return length < 12 ? { kind: "maybe" } : NO;
  const u24 = (at: number) =>
    (bytes[at] ?? 0) << 16 | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0);
  const size = (bytes[0] ?? 0) * 2 ** 24 + u24(1);
  const headerBytes = u24(5);
  if (size > FRAME_BYTES_MAX || headerBytes + 4 > size || headerBytes < 21) return NO;
  if (bytes[4] === 0) {
    const head = latin1Of(bytes, 8, 18);
    return bytes[8] === 0x7b && /^\{"[a-zA-Z]{2,}/.test(head) && headerEnds(bytes, headerBytes)
      ? { kind: sideOf(bytes), score: 90 }
      : NO;
  }
  return bytes[4] === 1 ? probeBinary(bytes, headerBytes) : NO;
}

function headerEnds(bytes: Uint8Array, headerBytes: number): boolean {
  const end = 8 + headerBytes;
  return end > bytes.length || bytes[end - 1] === 0x7d;
}

function sideOf(bytes: Uint8Array): "request" | "response" | "either" {
  const text = latin1Of(bytes, 8, 1_024);
  const flag = /"flag"\s*:\s*(\d+)/.exec(text)?.[1];
  if (flag === undefined) return "either";
  return (Number(flag) & RESPONSE) !== 0 ? "response" : "request";
}

/** code, language, version, opaque, flag, then a remark and fields that fill the header. */
function probeBinary(bytes: Uint8Array, headerBytes: number): Claim {
  if (bytes.length < 8 + 21) return NO;
  const u32 = (at: number) =>
    (bytes[at] ?? 0) * 2 ** 24 + (bytes[at + 1] ?? 0) * 2 ** 16 + (bytes[at + 2] ?? 0) * 2 ** 8 +
    (bytes[at + 3] ?? 0);
  const flag = u32(17);
  const remark = u32(21);
  if (flag > 3 || (bytes[10] ?? 255) > 12 || remark + 21 > headerBytes) return NO;
  const extAt = 25 + remark;
  if (extAt + 4 <= bytes.length && 21 + remark + u32(extAt) !== headerBytes) return NO;
  return { kind: (flag & RESPONSE) !== 0 ? "response" : "request", score: 85 };
}
