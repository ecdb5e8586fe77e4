// SPDX-License-Identifier: Apache-2.0
// AMQP 0-9-1, as RabbitMQ speaks it.
//
//   preface (client first): "AMQP" 0 0 9 1
//   frame : type u8 | channel u16 | size u32 | payload | 0xce
//   method: class u16 | method u16 | arguments        (type 1)
//   a content is a method, a header frame (type 2) and body frames (type 3) until its size is full
//
// Requests pair with answers by channel and method. Contents are one-way messages; those of many
// channels interleave. A Close from the server answers the request that it refuses, and is itself
// a request, which CloseOk answers.

import type { Status } from "../../../../model/status.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { envelope, envelopeOf, keyOfId } from "../../../wire/payload/envelope.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import {
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { keyOfBody } from "./amqp_body.ts";
import { type Content, readContent } from "./amqp_content.ts";
import { type Method, type MethodFound, methodOf, nothingFound } from "./amqp_methods.ts";
import { probeAmqp } from "./amqp_probe.ts";

const METHOD = 1, HEADER = 2, BODY = 3, HEARTBEAT = 8, FRAME_END = 0xce;
const FRAME_HEADER_BYTES = 7;
/** Method and header frames; RabbitMQ's own limit is 131,072. */
const FRAME_BYTES_MAX = 1 << 18;
const CHANNELS_MAX = 2_048;

const FIELDS = {
  exchange: { type: "string", otel: "messaging.destination.name", doc: "exchange" },
  routing_key: {
    type: "string",
    otel: "messaging.rabbitmq.destination.routing_key",
    doc: "routing key",
  },
  queue: { type: "string", otel: "messaging.destination.subscription.name", doc: "queue" },
  vhost: { type: "string", doc: "virtual host" },
  channel: { type: "number", doc: "channel" },
  consumer_tag: { type: "string", otel: "messaging.client.id", doc: "tag of the consumer" },
  delivery_tag: {
    type: "number",
    otel: "messaging.rabbitmq.message.delivery_tag",
    doc: "number of the delivery on its channel",
  },
  redelivered: { type: "boolean", doc: "delivered before" },
  message_id: { type: "string", otel: "messaging.message.id", doc: "message id" },
  correlation_id: {
    type: "string",
    otel: "messaging.message.conversation_id",
    doc: "correlation id",
  },
  reply_to: { type: "string", doc: "queue that the answer goes to" },
  body_size: { type: "number", otel: "messaging.message.body.size", doc: "bytes of the body" },
  mechanism: { type: "string", doc: "mechanism of the login" },
  version: { type: "string", otel: "network.protocol.version", doc: "version of the preface" },
  reply_code: { type: "number", doc: "reply code of Close and Return" },
  error_message: { type: "string", doc: "reply text of Close and Return" },
} as const;
type F = typeof FIELDS;

/** A content under way on a channel. */
interface Open {
  readonly id: string;
  left: number;
  bytes: number;
}

interface Half {
  /** Bytes of a body frame still to pass, and the channel it is on. */
  tail: number;
  tailChannel: number;
  /** Methods whose header frame is still to come, and contents whose body is. */
  readonly begun: Map<number, Draft<F>>;
  readonly open: Map<number, Open>;
  /** A Close that was told as an answer is told as a request with the last byte of its frame. */
  close: Draft<F> | null;
}

interface State {
  readonly toServer: Half;
  readonly toClient: Half;
  /** The request of the client that waits for its answer, by channel. */
  readonly asked: Map<number, string>;
  vhost: string;
}

const newHalf = (): Half => ({
  tail: 0,
  tailChannel: 0,
  begun: new Map(),
  open: new Map(),
  close: null,
});

export const amqp = defineProtocol<F, State>({
  name: "amqp",
  spec: "https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  multiplexed: true,
  capture: "all",
  starts: byteSet("A", METHOD, HEADER, BODY, HEARTBEAT),
  probe: probeAmqp,
  open: () => ({ toServer: newHalf(), toClient: newHalf(), asked: new Map(), vhost: "" }),

  read(cursor, way, make, state) {
    const half = way === "toClient" ? state.toClient : state.toServer;
    if (half.tail > 0) return readTail(cursor, half);
    if (half.close !== null) return readClose(cursor, half, half.close, make);
    const type = cursor.u8();
    if (type === 0x41) return readPreface(cursor, make);
    const channel = cursor.u16();
    const size = cursor.u32();
    if (size > FRAME_BYTES_MAX && type !== BODY) throw new Malformed("frame too long");
    switch (type) {
      case METHOD:
        return readMethod(cursor, channel, size, way, half, make, state);
      case HEADER:
        return readHeader(cursor, channel, size, half, make);
      case BODY:
        return readBody(channel, size, half);
      case HEARTBEAT:
        if (size !== 0) throw new Malformed("heartbeat with a payload");
        frameEnd(cursor);
        return NOTHING;
      default:
        throw new Malformed("no such frame");
    }
  },

  lost(state, way) {
    const half = way === "toClient" ? state.toClient : state.toServer;
    half.tail = 0;
    half.close = null;
    half.begun.clear();
    half.open.clear();
  },
});

const NOTHING: Step = { kind: "nothing" };

function frameEnd(cursor: Cursor): void {
  if (cursor.u8() !== FRAME_END) throw new Malformed("frame without its end");
}

/** "AMQP" 0 0 9 1; a server that wants another version answers with its own and closes. */
function readPreface(cursor: Cursor, make: Make<F>): Step {
  if (cursor.latin1(3) !== "MQP") throw new Malformed("not the preface");
  const id = cursor.u8();
  const version = `${cursor.u8()}-${cursor.u8()}-${cursor.u8()}`;
  if (id === 3 || (id === 0 && version === "1-0-0")) return { kind: "switch", to: "amqp1" };
  return make.oneway({ type: "ProtocolHeader", fields: { version: version.replace(/^0-/, "") } });
}

function readMethod(
  cursor: Cursor,
  channel: number,
  size: number,
  way: Way,
  half: Half,
  make: Make<F>,
  state: State,
): Step {
  // With the end of the frame: nothing is noted before all of it has passed.
  cursor.enter(size + 1);
  const method = methodOf(cursor.u16(), cursor.u16());
  if (method === undefined) throw new Malformed("no such method");
  const found = nothingFound();
  method.read(cursor, found);
  const endAt = cursor.position + cursor.remaining - 1;
  cursor.rewind(endAt);
  frameEnd(cursor);
  cursor.leave();
  if (method.name === "Connection.Open") state.vhost = found.vhost;
  const told = { method, found, channel, draft: draftOf(method, found, channel, state.vhost) };
  if (method.kind === "content") return readWithHeader(cursor, endAt + 1, told, half, make);
  return readPlain(cursor, endAt, told, way, half, make, state);
}

interface Told {
  readonly method: Method;
  readonly found: MethodFound;
  readonly channel: number;
  readonly draft: Draft<F>;
}

function draftOf(method: Method, found: MethodFound, channel: number, vhost: string): Draft<F> {
  const { exchange, routingKey, queue } = found;
  const endpoint = exchange !== "" || routingKey !== "" || method.kind === "content"
    ? `${exchange}.${routingKey}`
    : queue;
  const code = found.code >= 0 ? found.code : undefined;
  return {
    type: method.name,
    resource: queue !== "" ? queue : endpoint,
    domain: vhost,
    endpoint,
    ...(code !== undefined && { code, status: statusOf(code) }),
    fields: {
      ...(exchange !== "" && { exchange }),
      ...(routingKey !== "" && { routing_key: routingKey }),
      ...(queue !== "" && { queue }),
      ...(vhost !== "" && { vhost }),
      ...(channel > 0 && { channel }),
      ...(found.consumerTag !== "" && { consumer_tag: found.consumerTag }),
      ...(found.deliveryTag >= 0 && { delivery_tag: found.deliveryTag }),
      ...(found.redelivered && { redelivered: true }),
      ...(found.mechanism !== "" && { mechanism: found.mechanism }),
      ...(code !== undefined && { reply_code: code }),
      ...(found.text !== "" && code !== 200 && { error_message: found.text }),
    },
  };
}

/** 200 is a normal close; 320, 506, 540 and 541 are the server's own doing. */
function statusOf(code: number): Status {
  if (code === 200) return "ok";
  return code === 320 || code === 506 || code === 540 || code === 541
    ? "server_error"
    : "client_error";
}

const idOf = (method: string, channel: number): string => `${channel} ${method}`;

/** A method without content. The cursor stands behind its frame, whose end lies at `endAt`. */
function readPlain(
  cursor: Cursor,
  endAt: number,
  { method, found, channel, draft }: Told,
  way: Way,
  half: Half,
  make: Make<F>,
  state: State,
): Step {
  if (method.kind === "oneway" || found.noWait) {
    const settles = way !== "toClient" && /^Basic\.(?:Ack|Nack|Reject)$/.test(method.name);
    if (!settles) return make.oneway(draft);
    const receipt = receiptOf(channel, found.deliveryTag);
    return make.oneway({
      ...draft,
      envelope: envelope("settle", { receipt, upTo: found.multiple }),
    });
  }
  const asked = state.asked.get(channel);
  if (method.kind === "response") {
    if (asked === method.answers) state.asked.delete(channel);
    return make.response({ ...draft, id: idOf(method.answers, channel) });
  }
  if (way === "toClient" && asked !== undefined && method.name.endsWith(".Close")) {
    state.asked.delete(channel);
    half.close = draft;
    cursor.rewind(endAt);
    return make.response({ ...draft, id: idOf(asked, channel) });
  }
  if (way !== "toClient" && state.asked.size < CHANNELS_MAX) state.asked.set(channel, method.name);
  return make.request({
    ...draft,
    status: "unknown",
    id: idOf(method.name, channel),
    envelope: method.name === "Basic.Get" ? envelope("receive") : undefined,
  });
}

/** The last byte of a Close that was told as an answer before. */
function readClose(cursor: Cursor, half: Half, draft: Draft<F>, make: Make<F>): Step {
  frameEnd(cursor);
  half.close = null;
  const id = idOf(draft.type ?? "", draft.fields?.channel ?? 0);
  return make.request({ ...draft, status: "unknown", id });
}

/** Method and header make one message, since the header follows unless channels interleave. */
function readWithHeader(
  cursor: Cursor,
  headerAt: number,
  told: Told,
  half: Half,
  make: Make<F>,
): Step {
  const { method, channel, draft } = told;
  const begun: Draft<F> = method.answers === ""
    ? draft
    : { ...draft, id: idOf(method.answers, channel) };
  cursor.need(FRAME_HEADER_BYTES);
  const type = cursor.u8();
  const next = cursor.u16();
  const size = cursor.u32();
  if (type === HEADER && next === channel && size <= FRAME_BYTES_MAX) {
    return makeContent(cursor, channel, size, headerAt, begun, half, make);
  }
  cursor.rewind(headerAt);
  if (half.begun.size >= CHANNELS_MAX) half.begun.clear();
  half.begun.set(channel, begun);
  return NOTHING;
}

/** A header frame whose method came with frames of other channels between, or was not seen. */
function readHeader(
  cursor: Cursor,
  channel: number,
  size: number,
  half: Half,
  make: Make<F>,
): Step {
  const begun = half.begun.get(channel);
  const step = makeContent(cursor, channel, size, 0, begun ?? {}, half, make);
  half.begun.delete(channel);
  return begun === undefined ? NOTHING : step;
}

function makeContent(
  cursor: Cursor,
  channel: number,
  size: number,
  methodBytes: number,
  draft: Draft<F>,
  half: Half,
  make: Make<F>,
): Step {
  cursor.enter(size + 1);
  const content = readContent(cursor);
  cursor.rewind(cursor.position + cursor.remaining - 1);
  frameEnd(cursor);
  cursor.leave();
  const id = typeof draft.id === "string" ? draft.id : idOf("content", channel);
  const more = content.bodyBytes > 0;
  const key = keyOfBody(cursor, channel, content.bodyBytes, draft.endpoint ?? "");
  const bytes = methodBytes + FRAME_HEADER_BYTES + size + 1;
  if (half.open.size >= CHANNELS_MAX) half.open.clear();
  if (more && draft.type !== undefined) {
    half.open.set(channel, { id, left: content.bodyBytes, bytes });
  }
  const whole = {
    ...draft,
    id,
    more,
    identity: content.identity,
    fields: { ...draft.fields, ...contentFields(content) },
  };
  const role = ROLES[draft.type ?? ""];
  if (role === undefined) return make.oneway(whole);
  const named = content.messageId === "" ? null : keyOfId("amqp", content.messageId);
  const tag = draft.fields?.delivery_tag;
  const receipt = tag === undefined ? "" : receiptOf(channel, tag);
  const told = { ...whole, envelope: envelopeOf(role, named, key, { receipt }) };
  if (draft.type !== "Basic.GetOk") return make.oneway(told);
  return make.response({ ...whole, deliveries: [{ ...told, more: false }] });
}

const ROLES: Readonly<Record<string, "publish" | "deliver">> = {
  "Basic.Publish": "publish",
  "Basic.Deliver": "deliver",
  "Basic.GetOk": "deliver",
};

/** A delivery, and what acknowledges or rejects it. */
const receiptOf = (channel: number, deliveryTag: number): string => `${channel} ${deliveryTag}`;

const contentFields = (content: Content) => ({
  body_size: content.bodyBytes,
  ...(content.messageId !== "" && { message_id: content.messageId }),
  ...(content.correlationId !== "" && { correlation_id: content.correlationId }),
  ...(content.replyTo !== "" && { reply_to: content.replyTo }),
});

/** Body frames are counted and passed over. */
function readBody(channel: number, size: number, half: Half): Step {
  if (size > 1 << 28) throw new Malformed("frame too long");
  half.tail = size + 1;
  half.tailChannel = channel;
  return NOTHING;
}

/** The payload of a body frame is skipped; the end of the frame may be that of the content. */
function readTail(cursor: Cursor, half: Half): Step {
  if (half.tail > 1) {
    const bytes = half.tail - 1;
    const open = half.open.get(half.tailChannel);
    if (open !== undefined) {
      open.left -= bytes;
      open.bytes += FRAME_HEADER_BYTES + half.tail;
    }
    half.tail = 1;
    return { kind: "skip", bytes };
  }
  cursor.skip(1);
  half.tail = 0;
  const open = half.open.get(half.tailChannel);
  if (open === undefined || open.left > 0) return NOTHING;
  half.open.delete(half.tailChannel);
  return { kind: "end", id: open.id, bytes: open.bytes };
}
