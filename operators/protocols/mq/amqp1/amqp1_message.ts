// SPDX-License-Identifier: Apache-2.0
// The sections of an AMQP 1.0 message, the names of performatives, and the fields of messages.
//
//   70 header | 71 delivery annotations | 72 annotations | 73 properties (0 id, 2 to, 4 reply to,
//   5 correlation id, 3 subject) | 74 application properties | 75 data | 76 sequence
//   77 value | 78 footer

import type { Identity } from "../../../../model/message.ts";
import type { Cursor } from "../../../wire/cursor.ts";
import type { Fields } from "../../../wire/protocol.ts";
import { keyInFrame } from "../../../wire/payload/envelope.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import { peekDescriptor, readDescriptor, readItems, readValue } from "./amqp1_values.ts";

export const PERFORMATIVES: Readonly<Record<number, string>> = {
  0x10: "OPEN",
  0x11: "BEGIN",
  0x12: "ATTACH",
  0x13: "FLOW",
  0x14: "TRANSFER",
  0x15: "DISPOSITION",
  0x16: "DETACH",
  0x17: "END",
  0x18: "CLOSE",
  0x40: "SASL_MECHANISMS",
  0x41: "SASL_INIT",
  0x42: "SASL_CHALLENGE",
  0x43: "SASL_RESPONSE",
  0x44: "SASL_OUTCOME",
};

export const AMQP1_FIELDS = {
  address: { type: "string", otel: "messaging.destination.name", doc: "address of the link" },
  link: { type: "string", doc: "name of the link" },
  role: { type: "string", doc: "sender or receiver, as the end that attaches says" },
  delivery_id: { type: "number", doc: "delivery id" },
  last_delivery_id: { type: "number", doc: "last of several deliveries" },
  outcome: { type: "string", doc: "accepted, rejected, released or modified" },
  message_id: { type: "string", otel: "messaging.message.id", doc: "message id" },
  correlation_id: {
    type: "string",
    otel: "messaging.message.conversation_id",
    doc: "correlation id",
  },
  to: { type: "string", doc: "address that the message names" },
  reply_to: { type: "string", doc: "address of the answer" },
  subject: { type: "string", doc: "subject" },
  body_size: { type: "number", otel: "messaging.message.body.size", doc: "bytes of the data" },
  container: { type: "string", otel: "messaging.client.id", doc: "container id" },
  host: { type: "string", otel: "server.address", doc: "host that OPEN names" },
  layer: { type: "string", doc: "amqp, sasl or tls" },
  version: { type: "string", otel: "network.protocol.version", doc: "version of the preface" },
  error_message: { type: "string", doc: "condition and description of an error" },
} as const satisfies Fields;

export interface Sections {
  readonly identity: Identity | null;
  /** Of the content, as far as it is in the first frame. */
  readonly key: bigint | null;
  readonly fields: {
    message_id?: string;
    correlation_id?: string;
    to?: string;
    reply_to?: string;
    subject?: string;
    body_size?: number;
  };
}

const DATA = 0x75, PROPERTIES = 0x73, ANNOTATIONS = 0x72, APPLICATION = 0x74, SECTIONS_MAX = 16;
const NAMES = ["message_id", "", "to", "subject", "reply_to", "correlation_id"] as const;

/** Reads sections as far as bytes go. */
export function readSections(cursor: Cursor): Sections {
  const reader = new IdentityReader();
  const fields: Sections["fields"] = {};
  let key: bigint | null = null;
  for (let count = 0; count < SECTIONS_MAX && peekDescriptor(cursor) >= 0x70; count++) {
    const section = readDescriptor(cursor);
    if (section === PROPERTIES) readProperties(cursor, fields);
    else if (section === ANNOTATIONS || section === APPLICATION) readMap(cursor, reader);
    else if (section === DATA) {
      const code = cursor.u8();
      fields.body_size = code === 0xa0 ? cursor.u8() : cursor.u32();
      key = keyInFrame(cursor, fields.body_size, "amqp1", fields.to ?? "");
      break;
    } else if (section > APPLICATION) {
      key = keyInFrame(cursor, cursor.remaining, "amqp1", fields.to ?? "");
      break;
    } else readValue(cursor);
  }
  return { identity: reader.identity(), key, fields };
}

function readProperties(cursor: Cursor, fields: Sections["fields"]): void {
  readItems(cursor, (index) => {
    const value = readValue(cursor);
    const name = NAMES[index];
    if (name === undefined || name === "" || value === null) return;
    fields[name] = String(value);
  });
}

/** Keys and values in turn; some libraries put `Diagnostic-Id` where others put traceparent. */
function readMap(cursor: Cursor, reader: IdentityReader): void {
  let name = "";
  readItems(cursor, (index) => {
    const value = readValue(cursor);
    if (index % 2 === 0) name = typeof value === "string" ? value.toLowerCase() : "";
    else if (typeof value === "string" && name !== "") {
      reader.add(name === "diagnostic-id" ? "traceparent" : name, value);
    }
  });
}
