// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1, 3.1.1 and 5.
//
//   packet: type 4 bits | flags 4 bits | remaining length varint (1 to 4 bytes) | body
//   texts and binaries: length u16 | bytes      properties (5 only): length varint | id, value …
//
// CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ and PUBLISH of QoS 1 and 2 are answered; the packet id
// pairs them, apart by direction. PUBLISH of QoS 0 and DISCONNECT are one-way.

import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { envelopeOf, keyInFrame } from "../../../wire/payload/envelope.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { latin1Of } from "../../../wire/text.ts";
import { NO_PROPERTIES, properties, remainingLength, text } from "./mqtt_properties.ts";

const WHOLE_BYTES_MAX = 16_384;
const HEAD_BYTES_MAX = 4_096;

const NAMES = [
  ...["", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE"],
  ...["SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"],
];

const FIELDS = {
  topic: { type: "string", otel: "messaging.destination.name", doc: "topic, or topic filters" },
  client_id: { type: "string", otel: "messaging.client.id", doc: "client identifier" },
  qos: { type: "number", doc: "quality of service" },
  retain: { type: "boolean", doc: "the broker keeps the message" },
  duplicate: { type: "boolean", doc: "sent again" },
  version: { type: "string", otel: "network.protocol.version", doc: "3.1, 3.1.1 or 5" },
  user: { type: "string", doc: "user name" },
  packet_id: { type: "number", doc: "packet identifier" },
  body_size: { type: "number", otel: "messaging.message.body.size", doc: "bytes of the payload" },
  reason: { type: "number", doc: "return or reason code" },
} as const;
type F = typeof FIELDS;

interface State {
  /** Protocol level: 3, 4 or 5; 0 when the CONNECT was not seen. */
  level: number;
  /** Topics by their aliases, which each end gives by itself. */
  readonly aliases: Record<Way, Map<number, string>>;
  readonly tails: Tails;
}

export const mqtt = defineProtocol<F, State>({
  name: "mqtt",
  spec: "https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0x10, 0xf0]),
  probe,
  open: () => ({
    level: 0,
    aliases: { toServer: new Map(), toClient: new Map(), unknown: new Map() },
    tails: noTails(),
  }),

  read(cursor, way, make, state) {
    const rest = passTail(cursor, way, state.tails);
    if (rest !== null) return rest;
    const first = cursor.u8();
    const type = first >> 4;
    if (type === 0 || !flagsAllowed(type, first & 15)) throw new Malformed("no such packet");
    const length = remainingLength(cursor);
    const long = length > WHOLE_BYTES_MAX;
    if (long && type !== 3) throw new Malformed("packet too long");
    cursor.enter(long ? HEAD_BYTES_MAX : length);
    const step = readPacket(cursor, type, first & 15, length, long, way, make, state);
    cursor.leave();
    if (long) keepTail(state.tails, way, step, length - HEAD_BYTES_MAX);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

/** PUBREL, SUBSCRIBE and UNSUBSCRIBE have flags 2, PUBLISH its own, all others none. */
function flagsAllowed(type: number, flags: number): boolean {
  if (type === 3) return (flags >> 1 & 3) !== 3;
  return flags === (type === 6 || type === 8 || type === 10 ? 2 : 0);
}

/** Who sent the request that this packet belongs to: ids of the two ends are apart. */
const idOf = (packetId: number, sentBy: Way): string =>
  `${sentBy === "toClient" ? "server" : "client"} ${packetId}`;
const other = (way: Way): Way => way === "toClient" ? "toServer" : "toClient";

function readPacket(
  cursor: Cursor,
  type: number,
  flags: number,
  length: number,
  long: boolean,
  way: Way,
  make: Make<F>,
  state: State,
): Step {
  const name = NAMES[type] ?? "";
  switch (type) {
    case 1:
      return readConnect(cursor, make, state);
    case 2: {
      cursor.skip(1);
      if (state.level === 0 && length > 2) state.level = 5;
      return make.response({ type: name, id: "connect", ...outcome(cursor.u8()) });
    }
    case 3:
      return readPublish(cursor, flags, length, long, way, make, state);
    case 4:
    case 5:
    case 7: {
      const packetId = cursor.u16();
      const reason = cursor.captured > 0 ? cursor.u8() : 0;
      const asked = idOf(packetId, other(way));
      const id = type === 7 ? `release ${asked}` : asked;
      return make.response({ type: name, id, ...acknowledging(packetId, outcome(reason)) });
    }
    case 6: {
      const packetId = cursor.u16();
      const id = `release ${idOf(packetId, way)}`;
      return make.request({ type: name, endpoint: name, id, fields: { packet_id: packetId } });
    }
    case 8:
    case 10:
      return readSubscribe(cursor, type, way, make, state);
    case 9:
    case 11: {
      const packetId = cursor.u16();
      if (state.level === 5) properties(cursor);
      const reason = cursor.captured > 0 ? cursor.u8() : 0;
      const refused = reason >= 0x80 ? outcome(reason) : { code: reason, fields: { reason } };
      const id = idOf(packetId, other(way));
      return make.response({ type: name, id, ...acknowledging(packetId, refused) });
    }
    case 12:
      return make.request({ type: name, endpoint: name, id: "ping" });
    case 13:
      return make.response({ type: name, id: "ping" });
    case 14:
      return make.oneway({
        type: name,
        endpoint: name,
        ...(cursor.captured > 0 && leaving(cursor.u8())),
      });
    default:
      return make.oneway({
        type: name,
        endpoint: name,
        ...(cursor.captured > 0 && leaving(cursor.u8())),
      });
  }
}

/** Codes of version 3 and reason codes of version 5: 0x80 to 0xff and 1 to 5 are refusals. */
function outcome(reason: number): Draft<F> {
  const server = reason === 3 || reason === 0x80 || reason === 0x83 || reason === 0x88 ||
    reason === 0x89 || reason === 0x8b;
  const refused = reason >= 0x80 || (reason > 0 && reason < 6);
  return {
    code: reason,
    status: !refused ? "ok" : server ? "server_error" : "client_error",
    fields: { reason },
  };
}

function acknowledging(packetId: number, draft: Draft<F>): Draft<F> {
  return { ...draft, fields: { ...draft.fields, packet_id: packetId } };
}

/** Reason codes of DISCONNECT and AUTH, which only version 5 has: below 0x80 all is well. */
function leaving(reason: number): Draft<F> {
  return reason >= 0x80 ? outcome(reason) : { code: reason, fields: { reason } };
}

/** name | level u8 | flags u8 | keep alive u16 | [properties] | client id | [will] | [user] */
function readConnect(cursor: Cursor, make: Make<F>, state: State): Step {
  const protocol = text(cursor);
  if (protocol !== "MQTT" && protocol !== "MQIsdp") throw new Malformed("not MQTT");
  state.level = cursor.u8() & 0x7f;
  const flags = cursor.u8();
  cursor.skip(2);
  if (state.level === 5) properties(cursor);
  const clientId = text(cursor);
  if ((flags & 4) !== 0) {
    if (state.level === 5) properties(cursor);
    cursor.skip(cursor.u16());
    cursor.skip(cursor.u16());
  }
  const user = (flags & 0x80) !== 0 ? text(cursor) : "";
  return make.request({
    type: "CONNECT",
    resource: clientId,
    endpoint: "CONNECT",
    id: "connect",
    fields: {
      client_id: clientId,
      version: state.level === 3 ? "3.1" : state.level === 4 ? "3.1.1" : String(state.level),
      ...(user !== "" && { user }),
    },
  });
}

/** topic | packet id u16 (QoS above 0) | [properties] | payload */
function readPublish(
  cursor: Cursor,
  flags: number,
  length: number,
  long: boolean,
  way: Way,
  make: Make<F>,
  state: State,
): Step {
  const start = cursor.position;
  const qos = flags >> 1 & 3;
  const named = text(cursor);
  const packetId = qos > 0 ? cursor.u16() : 0;
  const { identity, alias } = state.level === 5 ? properties(cursor) : NO_PROPERTIES;
  const topic = named === "" ? state.aliases[way].get(alias) ?? "" : named;
  if (alias > 0) state.aliases[way].set(alias, topic);
  const bytes = length - (cursor.position - start);
  const content = topic === "" ? null : keyInFrame(cursor, bytes, "mqtt", topic);
  const draft: Draft<F> = {
    type: "PUBLISH",
    resource: topic,
    domain: topic,
    endpoint: topic,
    identity,
    more: long,
    ...(way !== "unknown" && {
      envelope: envelopeOf(way === "toClient" ? "deliver" : "publish", null, content),
    }),
    fields: {
      topic,
      qos,
      body_size: bytes,
      ...(packetId > 0 && { packet_id: packetId }),
      ...((flags & 1) !== 0 && { retain: true }),
      ...((flags & 8) !== 0 && { duplicate: true }),
    },
  };
  return qos === 0 ? make.oneway(draft) : make.request({ ...draft, id: idOf(packetId, way) });
}

function readSubscribe(
  cursor: Cursor,
  type: number,
  way: Way,
  make: Make<F>,
  state: State,
): Step {
  const packetId = cursor.u16();
  // No filter is as short as properties that begin with a zero would make the first one.
  if (state.level === 0 && cursor.peekOr(0) === 0 && cursor.peekOr(1) === 0) state.level = 5;
  if (state.level === 5) properties(cursor);
  const topics: string[] = [];
  while (cursor.captured > 2 && topics.length < 16) {
    topics.push(text(cursor));
    if (type === 8) cursor.skip(1);
  }
  const topic = topics.join(",");
  return make.request({
    type: NAMES[type] ?? "",
    resource: topic,
    domain: topic,
    endpoint: topic,
    id: idOf(packetId, way),
    fields: { topic, packet_id: packetId },
  });
}

const NO: Claim = { kind: "no" };

/** CONNECT names the protocol; of a connection joined midway, whole packets must add up. */
function probe(bytes: Uint8Array, length: number): Claim {
  const first = bytes[0] ?? 0;
  if (first === 0x10 && bytes.length >= 10) {
    const at = bytes.indexOf(0, 1);
    const name = latin1Of(bytes, at + 2, at + 8);
    if (at > 0 && at < 6 && (name.startsWith("MQTT") || name === "MQIsdp")) {
      return { kind: "request", score: 99 };
    }
  }
  const type = first >> 4;
  const [at, size] = extent(bytes, 0);
  if (at === 0 || !packetsAddUp(bytes, length)) return NO;
  if (type === 3) return publishes(bytes, at, length) ? { kind: "either", score: 70 } : NO;
  if (type === 2 && size === 2 && (bytes[3] ?? 9) < 6) return { kind: "response", score: 60 };
  if (type === 8 && size > 5) {
    // Properties of version 5, of which there are mostly none, lie before the filter.
    const filterAt = bytes[at + 2] === 0 && bytes[at + 3] === 0 ? at + 3 : at + 2;
    return isFilter(bytes, filterAt, at + size) ? { kind: "request", score: 70 } : NO;
  }
  if (type === 10 && size > 4) {
    const filterAt = bytes[at + 2] === 0 && bytes[at + 3] === 0 ? at + 3 : at + 2;
    return areFilters(bytes, filterAt, at + size) ? { kind: "request", score: 70 } : NO;
  }
  if ((type === 12 || type === 13) && size === 0) {
    return { kind: type === 12 ? "request" : "response", score: 50 };
  }
  // Acknowledgements and DISCONNECT, by which a place that was lost is found again.
  if (((type >= 4 && type <= 7) || type === 11) && size === 2 || (type === 14 && size === 0)) {
    return { kind: type === 14 ? "request" : "either", score: 40 };
  }
  return NO;
}

/** Where the body of the packet at `start` begins, and its bytes; 0 where there is no packet. */
function extent(bytes: Uint8Array, start: number): [at: number, size: number] {
  const first = bytes[start] ?? 0;
  if (!flagsAllowed(first >> 4, first & 15) || first < 0x10) return [0, 0];
  let size = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[start + 1 + i] ?? 0;
    size += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return [start + 2 + i, size];
  }
  return [0, 0];
}

function packetsAddUp(bytes: Uint8Array, length: number): boolean {
  let start = 0;
  while (start < length && start < bytes.length) {
    const [at, size] = extent(bytes, start);
    if (at === 0) return false;
    start = at + size;
  }
  return start === length || (start > bytes.length && start <= length);
}

/** A filter of printable text, and behind it the quality of service that is asked for. */
function isFilter(bytes: Uint8Array, at: number, end: number): boolean {
  const size = (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  const optionsAt = at + 2 + size;
  if (size === 0 || optionsAt >= end || ((bytes[optionsAt] ?? 0) & 3) === 3) return false;
  return /^[\x20-\xff]+$/.test(latin1Of(bytes, at + 2, optionsAt));
}

/** Nothing but filters, end to end. */
function areFilters(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at + 2 < end) {
    const next = at + 2 + ((bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0));
    if (next === at + 2 || !/^[\x20-\xff]*$/.test(latin1Of(bytes, at + 2, next))) return false;
    at = next;
  }
  return at === end;
}

/** A topic of printable text, without wildcards, at the start of a PUBLISH. */
function publishes(bytes: Uint8Array, at: number, length: number): boolean {
  const size = (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  if (size === 0 || at + 2 + size > length || size > 512) return false;
  for (let i = at + 2; i < Math.min(at + 2 + size, bytes.length); i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x20 || byte === 0x23 || byte === 0x2b || byte > 0x7e) return false;
  }
  return true;
}
