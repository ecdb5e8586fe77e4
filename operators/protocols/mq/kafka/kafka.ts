// SPDX-License-Identifier: Apache-2.0
// Kafka.
//
//   request : size i32 | api key i16 | version i16 | correlation i32 | client id | [tags] | body
//   response: size i32 | correlation i32 | [tags] | body
//
// A response can be read only by the key and version of its request, so those are remembered.
// Behind the first version of SaslHandshake frames hold nothing but what the login says.

import { dropTail, keepTail, noTails, passTail, type Tails } from "../../../wire/long_frame.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { attempt } from "../../../wire/attempt.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { envelope, KEYS_MAX } from "../../../wire/payload/envelope.ts";
import { skipTags, text } from "./kafka_types.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import type { Status } from "../../../../model/status.ts";
import { APIS, CLIENT_ERRORS, isFlexible } from "./kafka_apis.ts";
import { readResponseBody } from "./kafka_answer.ts";
import {
  API_VERSIONS,
  type Batch,
  FETCH,
  type Found,
  nothingFound,
  PRODUCE,
  readRequestBody,
  type TopicNames,
} from "./kafka_body.ts";

const SIZE_MAX = 104_857_600;
/** Of a longer message only so much is needed. */
const READ_BYTES_MAX = 4_096;
const ASKED_MAX = 4_096;
const SASL_HANDSHAKE = 17;

const FIELDS = {
  topic: { type: "string", otel: "messaging.destination.name", doc: "first topic" },
  topic_id: { type: "string", doc: "uuid of a topic whose name the connection has not told" },
  topics: { type: "number", doc: "number of topics, when more than one" },
  partition: {
    type: "number",
    otel: "messaging.destination.partition.id",
    doc: "first partition",
  },
  group: { type: "string", otel: "messaging.consumer.group.name", doc: "consumer group" },
  client_id: { type: "string", otel: "messaging.client.id", doc: "client id" },
  api_version: { type: "number", doc: "version of the API" },
  records: {
    type: "number",
    otel: "messaging.batch.message_count",
    doc: "records of the first batch",
  },
  offset: {
    type: "number",
    otel: "messaging.kafka.offset",
    doc: "offset given to the first record",
  },
} as const;
type F = typeof FIELDS;

interface Asked {
  readonly key: number;
  readonly version: number;
}

interface State {
  readonly asked: Map<number, Asked>;
  readonly names: TopicNames;
  /** Frames that are no messages belong to a login. */
  loggingIn: boolean;
  readonly tails: Tails;
}

export const kafka = defineProtocol<F, State>({
  name: "kafka",
  spec: "https://kafka.apache.org/protocol",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 6]),
  probe,
  open: () => ({ asked: new Map(), names: new Map(), loggingIn: false, tails: noTails() }),

  read(cursor, way, make, state) {
    const rest = passTail(cursor, way, state.tails);
    if (rest !== null) return rest;
    const size = cursor.u32();
    if (state.loggingIn && size === 0) return NOTHING;
    if (size < 4 || size > SIZE_MAX) throw new Malformed("no size of a message");
    const kept = Math.min(size, READ_BYTES_MAX);
    cursor.enter(kept);
    if (state.loggingIn && isToken(cursor, way, state)) return passToken(cursor, size);
    const step = way === "toClient"
      ? readResponse(cursor, make, state, size > kept)
      : readRequest(cursor, make, state, size > kept);
    cursor.leave();
    keepTail(state.tails, way, step, size - kept);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

const NOTHING: Step = { kind: "nothing" };

/** Neither a request that there is nor an answer to one. */
function isToken(cursor: Cursor, way: Way, state: State): boolean {
  if (way !== "toClient" && cursor.remaining < 8) return true;
  const start = cursor.position;
  const id = cursor.i32();
  cursor.rewind(start);
  if (way === "toClient") return !state.asked.has(id);
  const api = APIS.get(id >>> 16);
  return api === undefined || (id & 0xffff) > api.versionMax;
}

function passToken(cursor: Cursor, size: number): Step {
  cursor.skip(cursor.remaining);
  cursor.leave();
  return size > READ_BYTES_MAX ? { kind: "skip", bytes: size - READ_BYTES_MAX } : NOTHING;
}

function readRequest(cursor: Cursor, make: Make<F>, state: State, more: boolean): Step {
  const key = cursor.u16();
  const version = cursor.u16();
  const api = APIS.get(key);
  if (api === undefined || version > api.versionMax + 8) throw new Malformed("no such API");
  const id = cursor.i32();
  const clientId = text(cursor, false);
  const flexible = isFlexible(key, version);
  const found = nothingFound();
  attempt(() => {
    skipTags(cursor, flexible);
    readRequestBody(cursor, key, version, flexible, found, state.names);
  });
  const draft: Draft<F> = {
    type: api.name,
    resource: found.topic || found.group,
    domain: found.topic,
    endpoint: endpointOf(found.topic, found.partition),
    id,
    identity: found.records?.identity ?? null,
    more,
    envelope: envelopeFor(key, found),
    fields: {
      api_version: version,
      ...(clientId !== "" && { client_id: clientId }),
      ...(found.group !== "" && { group: found.group }),
      ...destination(found),
      ...(found.records !== null && found.records.count > 0 && { records: found.records.count }),
    },
  };
  state.loggingIn = key === SASL_HANDSHAKE && version === 0;
  if (key === PRODUCE && found.acks === 0) return make.oneway(draft);
  state.asked.set(id, { key, version });
  if (state.asked.size > ASKED_MAX) state.asked.delete(state.asked.keys().next().value ?? id);
  return make.request(draft);
}

/** `topic-partition`, the topic alone where no partition is meant. */
const endpointOf = (topic: string, partition: number): string =>
  topic !== "" && partition >= 0 ? `${topic}-${partition}` : topic;

/** A batch is one publication, whatever it holds: consumers are sent it as it is. */
function envelopeFor(key: number, { batches }: Found) {
  if (key === FETCH) return envelope("receive");
  return key === PRODUCE ? envelope("publish", { keys: keysOf(batches) }) : undefined;
}

const keysOf = (batches: readonly Batch[]): bigint[] =>
  batches.flatMap(({ key }) => key === null ? [] : [key]).slice(0, KEYS_MAX);

function delivery(batch: Batch): Draft<F> {
  const { topic, partition, offset, count, identity } = batch;
  return {
    type: "DELIVER",
    resource: topic,
    domain: topic,
    endpoint: endpointOf(topic, partition),
    identity,
    envelope: envelope("deliver", { keys: keysOf([batch]) }),
    fields: { topic, partition, offset, records: count },
  };
}

const destination = (found: Found) => ({
  ...(found.topic !== "" && { topic: found.topic }),
  ...(found.topic === "" && found.topicId !== "" && { topic_id: found.topicId }),
  ...(found.topics > 1 && { topics: found.topics }),
  ...(found.partition >= 0 && { partition: found.partition }),
});

function readResponse(cursor: Cursor, make: Make<F>, state: State, more: boolean): Step {
  const id = cursor.i32();
  const asked = state.asked.get(id);
  state.asked.delete(id);
  const found = nothingFound();
  if (asked !== undefined) {
    const flexible = isFlexible(asked.key, asked.version);
    attempt(() => {
      if (asked.key !== API_VERSIONS) skipTags(cursor, flexible);
      readResponseBody(cursor, asked.key, asked.version, flexible, found, state.names);
    });
  }
  return make.response({
    type: asked === undefined ? "" : APIS.get(asked.key)?.name ?? "",
    id,
    more,
    ...(found.code !== null && { code: found.code }),
    status: statusOf(found.code ?? 0),
    identity: found.records?.identity ?? null,
    deliveries: asked?.key === FETCH ? found.batches.map(delivery) : undefined,
    fields: {
      ...destination(found),
      ...(found.offset >= 0 && { offset: found.offset }),
      ...(found.records !== null && found.records.count > 0 && { records: found.records.count }),
    },
  });
}

function statusOf(code: number): Status {
  if (code === 0) return "ok";
  return CLIENT_ERRORS.has(code) ? "client_error" : "server_error";
}

const NO: Claim = { kind: "no" };

/** Requests are told by key, version, and a client id of text; responses by nothing. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 14) return length < 14 ? { kind: "maybe" } : NO;
  const u16 = (at: number) => (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  const size = (u16(0) << 16 | u16(2)) >>> 0;
  const api = APIS.get(u16(4));
  if (api === undefined || u16(6) > api.versionMax || size < 10 || size > SIZE_MAX) return NO;
  if (size + 4 < length && !follows(bytes, size + 4)) return NO;
  const client = u16(12);
  if (client !== 0xffff && client + 10 > size) return NO;
  if (client === 0xffff || client === 0) {
    const whole = size + 4 === length && goesOn(bytes, u16(4), u16(6), 14);
    return whole ? { kind: "request", score: 60 } : NO;
  }
  for (let at = 14; at < Math.min(14 + client, bytes.length); at++) {
    if ((bytes[at] ?? 0) < 0x20 || (bytes[at] ?? 0) > 0x7e) return NO;
  }
  if (size + 4 <= length) return { kind: "request", score: size + 4 === length ? 88 : 65 };
  // Much is said to come: it must go on as a request does.
  if (14 + client + GOES_ON_BYTES > length) return { kind: "maybe" };
  return goesOn(bytes, u16(4), u16(6), 14 + client) ? { kind: "request", score: 88 } : NO;
}

const GOES_ON_BYTES = 8;

/** Behind the client id, at `at`: [tags], and of Produce the transaction and 0, 1 or -1 acks. */
function goesOn(bytes: Uint8Array, key: number, version: number, at: number): boolean {
  const flexible = isFlexible(key, version);
  if (flexible && (bytes[at] ?? 0) !== 0) return false;
  if (key !== PRODUCE) return true;
  const i16 = (place: number) => ((bytes[place] ?? 0) << 8 | (bytes[place + 1] ?? 0)) << 16 >> 16;
  const acksAt = flexible
    ? at + 1 + Math.max(1, bytes[at + 1] ?? 0)
    : at + (version >= 3 ? 2 + Math.max(0, i16(at)) : 0);
  return acksAt + 2 > bytes.length || Math.abs(i16(acksAt)) <= 1;
}

/** Another request begins behind the first. */
function follows(bytes: Uint8Array, at: number): boolean {
  if (at + 8 > bytes.length) return true;
  return APIS.has((bytes[at + 4] ?? 0) << 8 | (bytes[at + 5] ?? 0)) && (bytes[at] ?? 255) < 7;
}
