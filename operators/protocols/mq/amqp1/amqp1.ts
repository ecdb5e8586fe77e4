// SPDX-License-Identifier: Apache-2.0
// AMQP 1.0, as Azure Service Bus, ActiveMQ, Qpid and RabbitMQ 4 speak it.
//
//   preface: "AMQP" | 0 plain, 2 TLS, 3 SASL | 1 0 0         both ends send it
//   frame  : bytes u32, itself included | words of header u8 (2) | type u8 (0, 1 SASL)
//            | channel u16 | performative: a described list | [payload]
//
// What a client sends unsettled is a request: the disposition with its delivery id answers it.
// Deliveries to a client are one-way.
// Only the first frame of a transfer says what it is; `more` says that others follow.

import type { Identity } from "../../../../model/message.ts";
import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { envelope, envelopeOf, keyOfId } from "../../../wire/payload/envelope.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../../wire/long_frame.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { AMQP1_FIELDS, PERFORMATIVES, readSections, type Sections } from "./amqp1_message.ts";
import { readDescriptor, readItems, readValue, type Value } from "./amqp1_values.ts";
import { latin1Of } from "../../../wire/text.ts";

type F = typeof AMQP1_FIELDS;

const FRAME_BYTES_MAX = 1 << 26;
/** Of a longer frame only so much is read. */
const READ_BYTES_MAX = 16_384;
const LINKS_MAX = 4_096;
const OPEN = 0x10, BEGIN = 0x11, ATTACH = 0x12, FLOW = 0x13, TRANSFER = 0x14;
const DISPOSITION = 0x15, DETACH = 0x16, END = 0x17, CLOSE = 0x18, SASL = 0x40;

interface State {
  readonly tails: Tails;
  /** Addresses of links, by direction of the sender, channel and handle. */
  readonly links: Map<string, string>;
  /** Addresses by name of the link: the other end attaches it under another handle. */
  readonly names: Map<string, string>;
  host: string;
  encrypted: boolean;
}

export const amqp1 = defineProtocol<F, State>({
  name: "amqp1",
  spec: "https://docs.oasis-open.org/amqp/core/v1.0/amqp-core-complete-v1.0.pdf",
  transports: ["tcp"],
  fields: AMQP1_FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("A", 0),
  probe,
  open: () => ({
    tails: noTails(),
    links: new Map(),
    names: new Map(),
    host: "",
    encrypted: false,
  }),

  read(cursor, way, make, state) {
    if (state.encrypted) return { kind: "switch", to: "tls" };
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    if (cursor.peek() === 0x41) return readPreface(cursor, way, make, state);
    const size = cursor.u32() - 8;
    const words = cursor.u8();
    const type = cursor.u8();
    const channel = cursor.u16();
    if (size < 0 || size > FRAME_BYTES_MAX || words !== 2 || type > 1) {
      throw new Malformed("no frame");
    }
    // An empty frame keeps the connection open.
    if (size === 0) return NOTHING;
    const kept = Math.min(size, READ_BYTES_MAX);
    cursor.enter(kept);
    const step = readFrame(cursor, channel, way, size > kept, make, state);
    cursor.leave();
    if (size > kept) keepTail(state.tails, way, step, size - kept);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

const NOTHING: Step = { kind: "nothing" };

/** What the preface asks for; an answer with the same one agrees to it. */
function readPreface(cursor: Cursor, way: Way, make: Make<F>, state: State): Step {
  if (cursor.latin1(4) !== "AMQP") throw new Malformed("not the preface");
  const layer = cursor.u8();
  const version = `${cursor.u8()}.${cursor.u8()}`;
  cursor.skip(1);
  if (layer === 2 && way === "toClient") state.encrypted = true;
  const fields = { version, layer: layer === 3 ? "sasl" : layer === 2 ? "tls" : "amqp" };
  return make.oneway({ type: "PREFACE", fields });
}

function readFrame(
  cursor: Cursor,
  channel: number,
  way: Way,
  more: boolean,
  make: Make<F>,
  state: State,
): Step {
  const code = readDescriptor(cursor);
  const type = PERFORMATIVES[code];
  if (type === undefined) throw new Malformed("no such performative");
  if (code >= SASL) return readSasl(cursor, code, type, make);
  const values: Value[] = [];
  const start = cursor.position;
  // Source and target of ATTACH are lists of their own.
  const terminus: Record<number, string> = {};
  readItems(cursor, (index) => {
    if (code === ATTACH && (index === 5 || index === 6)) terminus[index] = addressOf(cursor);
    else if (index > 12) readValue(cursor);
    else if (code === DISPOSITION && index === 4) values[index] = outcomeOf(cursor);
    else {
      const mayFail = code === CLOSE || code === DETACH || code === END;
      values[index] = mayFail ? errorOf(cursor) : readValue(cursor);
    }
  });
  if (cursor.position === start) throw new Malformed("no list");
  const frame = { code, type, channel, values, more };
  if (code === ATTACH) return readAttach(frame, terminus, way, make, state);
  if (code === TRANSFER) return readTransfer(cursor, frame, way, make, state);
  if (code === DISPOSITION) return readDisposition(frame, way, make);
  return tellOther(frame, way, make, state);
}

interface Frame {
  readonly code: number;
  readonly type: string;
  readonly channel: number;
  readonly values: readonly Value[];
  readonly more: boolean;
}

const textOf = (value: Value | undefined): string => typeof value === "string" ? value : "";
const numberOf = (value: Value | undefined): number => typeof value === "number" ? value : 0;

/** The address of a source or target, which is the first item of either. */
function addressOf(cursor: Cursor): string {
  if (cursor.peek() !== 0) {
    readValue(cursor);
    return "";
  }
  readDescriptor(cursor);
  let address = "";
  readItems(cursor, () => {
    const value = readValue(cursor);
    if (address === "") address = textOf(value) || " ";
  });
  return address.trim();
}

/** condition and description of an error; other items of these performatives are numbers. */
function errorOf(cursor: Cursor): Value {
  if (cursor.peek() !== 0) return readValue(cursor);
  readDescriptor(cursor);
  const parts: string[] = [];
  readItems(cursor, (index) => {
    const value = readValue(cursor);
    if (index < 2) parts.push(textOf(value));
  });
  return parts.join(": ");
}

/** The descriptor of a delivery's state. */
function outcomeOf(cursor: Cursor): Value {
  if (cursor.peek() !== 0) return readValue(cursor);
  const code = readDescriptor(cursor);
  readValue(cursor);
  return code;
}

const OUTCOMES: Readonly<Record<number, string>> = {
  0x24: "accepted",
  0x25: "rejected",
  0x26: "released",
  0x27: "modified",
};

/** Only outcome and mechanisms are told; what proves who one is, is not read. */
function readSasl(cursor: Cursor, code: number, type: string, make: Make<F>): Step {
  if (code !== 0x44) return make.oneway({ type });
  let outcome = 0;
  readItems(cursor, (index) => {
    const value = readValue(cursor);
    if (index === 0) outcome = numberOf(value);
  });
  const status = outcome === 0 ? "ok" : outcome === 1 ? "client_error" : "server_error";
  return make.oneway({ type, code: outcome, status });
}

const linkKey = (way: Way, channel: number, handle: number): string =>
  `${way} ${channel} ${handle}`;

function keep(map: Map<string, string>, key: string, value: string): void {
  if (map.size >= LINKS_MAX && !map.has(key)) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  map.set(key, value);
}

/** name, handle, receives, …, source, target: the sender's target, or the receiver's source */
function readAttach(
  frame: Frame,
  terminus: Record<number, string>,
  way: Way,
  make: Make<F>,
  state: State,
): Step {
  const name = textOf(frame.values[0]);
  const receives = frame.values[2] === 1;
  // Of the client: it receives from a source, or sends to a target. The server mirrors it.
  const mirrored = way === "toClient" ? !receives : receives;
  const address = (mirrored ? terminus[5] : terminus[6]) || (state.names.get(name) ?? "");
  keep(state.links, linkKey(way, frame.channel, numberOf(frame.values[1])), address);
  keep(state.names, name, address);
  const answers = way === "toClient";
  const draft: Draft<F> = {
    type: frame.type,
    resource: address,
    domain: state.host,
    endpoint: address,
    id: `attach ${name}`,
    fields: {
      ...(address !== "" && { address }),
      link: name,
      role: receives ? "receiver" : "sender",
    },
  };
  return answers ? make.response(draft) : make.request(draft);
}

/** handle, delivery id, tag, format, settled, more … | sections of the message */
function readTransfer(cursor: Cursor, frame: Frame, way: Way, make: Make<F>, state: State): Step {
  const { values, channel } = frame;
  const deliveryId = values[1];
  // Without a delivery id it goes on with the message of the frame before.
  if (typeof deliveryId !== "number") return NOTHING;
  const address = state.links.get(linkKey(way, channel, numberOf(values[0]))) ?? "";
  let sections: Sections | null = null;
  attempt(() => void (sections = readSections(cursor)));
  const found = sections as Sections | null;
  const identity: Identity | null = found?.identity ?? null;
  const messageId = found?.fields.message_id;
  const known = messageId === undefined ? null : keyOfId("amqp1", messageId);
  const role = way === "toClient" ? "deliver" : "publish";
  const draft: Draft<F> = {
    type: frame.type,
    resource: address,
    domain: state.host,
    endpoint: address,
    identity,
    more: frame.more,
    envelope: envelopeOf(role, known, found?.key ?? null, { receipt: idOf(channel, deliveryId) }),
    fields: {
      ...(address !== "" && { address }),
      delivery_id: deliveryId,
      ...found?.fields,
    },
  };
  const settled = values[4] === 1 || way === "toClient";
  return settled ? make.oneway(draft) : make.request({ ...draft, id: idOf(channel, deliveryId) });
}

const idOf = (channel: number, deliveryId: number): string => `${channel} ${deliveryId}`;

/** role (1 receiver), first, last, settled, outcome: answers the transfers of the other end */
function readDisposition(frame: Frame, way: Way, make: Make<F>): Step {
  const [role, first, last, , state] = frame.values;
  const outcome = OUTCOMES[numberOf(state)];
  const fields = {
    delivery_id: numberOf(first),
    ...(typeof last === "number" && last !== first && { last_delivery_id: last }),
    ...(outcome !== undefined && { outcome }),
  };
  const status = outcome === "rejected" ? "client_error" : "ok";
  // A client accepts what was delivered to it: nobody waits for that.
  if (role !== 1 || way !== "toClient") {
    const receipt = idOf(frame.channel, numberOf(first));
    const settles = role === 1 ? envelope("settle", { receipt }) : undefined;
    return make.oneway({ type: frame.type, status, fields, envelope: settles });
  }
  return make.response({
    type: frame.type,
    status,
    id: idOf(frame.channel, numberOf(first)),
    fields,
  });
}

/** OPEN, BEGIN, DETACH, END and CLOSE are answered by the same of the other end. */
function tellOther(frame: Frame, way: Way, make: Make<F>, state: State): Step {
  const { code, type, channel, values } = frame;
  if (code === FLOW) return NOTHING;
  const error = code === DETACH || code === END || code === CLOSE ? textOf(values.at(-1)) : "";
  if (code === OPEN && way !== "toClient") state.host = textOf(values[1]);
  const draft: Draft<F> = {
    type,
    endpoint: type,
    domain: state.host,
    id: `${type} ${code === BEGIN || code === END ? "" : channel}`,
    fields: {
      ...(code === OPEN && { container: textOf(values[0]) }),
      ...(code === OPEN && state.host !== "" && { host: state.host }),
      ...(error !== "" && { error_message: error }),
    },
  };
  const status = error === "" ? "ok" : "client_error";
  // What fails is closed by the server first.
  if (way === "toClient") {
    return error === "" ? make.response(draft) : make.oneway({ ...draft, status });
  }
  return make.request(draft);
}

const NO: Claim = { kind: "no" };

/** The preface, or a frame whose performative is one that there is. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] === 0x41) {
    const head = latin1Of(bytes, 0, 4);
    if (!"AMQP".startsWith(head)) return NO;
    if (length < 8) return { kind: "maybe" };
    const [, , , , layer = 9, major] = bytes;
    return layer <= 3 && layer !== 1 && major === 1 && bytes[6] === 0
      ? { kind: "either", score: 99 }
      : NO;
  }
  if (bytes.length < 12 || bytes[4] !== 2 || (bytes[5] ?? 9) > 1) return NO;
  if (bytes[8] !== 0 || bytes[9] !== 0x53) return NO;
  const list = bytes[11] ?? 0;
  const code = bytes[10] ?? 0;
  const size = (bytes[1] ?? 0) << 16 | (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0);
  if (PERFORMATIVES[code] === undefined || size < 12) return NO;
  return list === 0xc0 || list === 0xd0 || list === 0x45 ? { kind: "either", score: 92 } : NO;
}
