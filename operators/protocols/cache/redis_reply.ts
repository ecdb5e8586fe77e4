// SPDX-License-Identifier: Apache-2.0
// Replies, and what a server sends without being asked: pushes, pub/sub messages, MONITOR reports,
// the stream to a replica.

import { type Cursor, Malformed } from "../../wire/cursor.ts";
import type { Make, Step } from "../../wire/protocol.ts";
import type { Status } from "../../../model/status.ts";
import type { Conversation } from "./redis_conversation.ts";
import type { REDIS_FIELDS } from "./redis.ts";
import { deliveriesIn, envelopeOfMessage } from "./redis_queues.ts";
import { intAt, newProgress, passElements, type Progress } from "./resp.ts";

type RedisMake = Make<typeof REDIS_FIELDS>;

const LINE_BYTES_MAX = 65_536;
const NOTHING: Step = { kind: "nothing" };

/** By first byte. */
const REPLY_FIELDS: Readonly<Record<number, { readonly reply_type: string }>> = {
  0x2b: { reply_type: "simple_string" },
  0x3a: { reply_type: "integer" },
  0x24: { reply_type: "bulk_string" },
  0x2a: { reply_type: "array" },
  0x5f: { reply_type: "null" },
  0x23: { reply_type: "boolean" },
  0x2c: { reply_type: "double" },
  0x28: { reply_type: "big_number" },
  0x3d: { reply_type: "verbatim_string" },
  0x25: { reply_type: "map" },
  0x7e: { reply_type: "set" },
  0x7c: { reply_type: "attribute" },
  0x3e: { reply_type: "push" },
};

/** Errors that are the server's, not the caller's. */
const SERVER_ERRORS = new Set([
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN",
  "UNKILLABLE",
]);

export function readReply(
  cursor: Cursor,
  make: RedisMake,
  progress: Progress,
  conversation: Conversation,
): Step {
  const type = cursor.peek();
  if (conversation.replica === "on") return readReplicaStream(cursor, make, progress, type);
  if (type === 0x2d) return error(make, cursor.line(LINE_BYTES_MAX).slice(1), conversation);
  if (type === 0x21) return readBulkError(cursor, make, conversation);
  const line = cursor.find(0x0a);
  if (line < 0) {
    if (cursor.captured > LINE_BYTES_MAX) throw new Malformed("line too long");
    cursor.need(cursor.captured + 1);
  }
  if (type === 0x2b && conversation.monitor === "on") {
    cursor.skip(line + 1);
    return make.oneway({ type: "MONITOR", endpoint: "MONITOR" });
  }
  const fields = REPLY_FIELDS[type];
  if (fields === undefined) throw new Malformed("RESP type");
  if (type === 0x3e || (type === 0x2a && conversation.subscribed)) {
    const unasked = readUnasked(cursor, make, progress, conversation, line);
    if (unasked !== null) return unasked;
  }
  const deliveries = conversation.receives ? deliveriesIn(cursor, conversation.unmask) : undefined;
  const more = passElement(cursor, progress);
  if (conversation.monitor === "asked") conversation.monitor = "on";
  if (conversation.replica === "asked") conversation.replica = "on";
  return make.response({ status: "ok", more, fields, deliveries });
}

/** Moves past one element as far as it is at hand; true when some of it is to come. */
function passElement(cursor: Cursor, progress: Progress): boolean {
  progress.elements = 1;
  passElements(cursor, progress);
  return progress.tail = progress.elements > 0 || progress.skip > 0;
}

/** Errors repeat arguments, and what a script says; the name of an unknown command stays. */
const masked = (text: string): string =>
  text.replace(/(with args beginning with:).*/s, "$1 ?")
    .replace(
      /(command )?('[^']*'|"[^"]*")/g,
      (all, before: string | undefined) => before === undefined ? "?" : all,
    );

function error(make: RedisMake, text: string, { unmask }: Conversation): Step {
  const end = text.search(/\s|$/);
  const prefix = text.slice(0, end);
  const status: Status = SERVER_ERRORS.has(prefix) ? "server_error" : "client_error";
  return make.response({
    status,
    fields: { reply_type: "error", error: unmask ? text : masked(text), error_prefix: prefix },
  });
}

function readBulkError(cursor: Cursor, make: RedisMake, conversation: Conversation): Step {
  const line = cursor.find(0x0a);
  if (line < 0) cursor.need(cursor.captured + 1);
  const bytes = intAt(cursor, 1, line);
  if (bytes < 0 || bytes > LINE_BYTES_MAX) throw new Malformed("bulk error");
  cursor.skip(line + 1);
  const text = cursor.text(bytes);
  cursor.skip(2);
  return error(make, text, conversation);
}

/**
 * A push, or an array to a subscriber. Null when it is an ordinary reply after all; confirmations
 * of one SUBSCRIBE of several channels are one reply.
 */
function readUnasked(
  cursor: Cursor,
  make: RedisMake,
  progress: Progress,
  conversation: Conversation,
  line: number,
): Step | null {
  const start = cursor.position;
  const count = intAt(cursor, 1, line);
  if (count < 1) return null;
  cursor.skip(line + 1);
  const kind = word(cursor);
  const isMessage = count > 1 && /^[ps]?message$/.test(kind);
  const channel = isMessage ? word(cursor) : "";
  const sentTo = kind === "pmessage" ? word(cursor) : channel;
  const ahead = cursor.position - start;
  cursor.rewind(start);
  if (/^[ps]?(un)?subscribe$/.test(kind)) {
    if (conversation.confirmations === 0) return null;
    if (passElement(cursor, progress)) {
      // It is short: worth waiting for.
      Object.assign(progress, newProgress());
      cursor.rewind(start);
      cursor.need(cursor.captured + 1);
    }
    conversation.confirmations--;
    return NOTHING;
  }
  if (cursor.peek() !== 0x3e && channel === "") return null;
  const type = kind.toUpperCase();
  const resource = channel === "" ? type : `${type} ${channel}`;
  const envelope = isMessage ? envelopeOfMessage(cursor, ahead, sentTo) : undefined;
  const more = passElement(cursor, progress);
  const fields = channel === "" ? {} : { key: channel };
  return make.oneway({ type, resource, endpoint: type, more, fields, envelope });
}

/** A short string element, "" when the next one is none. */
function word(cursor: Cursor): string {
  const type = cursor.peek();
  if (type === 0x2b) return cursor.line(LINE_BYTES_MAX).slice(1);
  if (type !== 0x24) return "";
  const line = cursor.find(0x0a);
  if (line < 0) cursor.need(cursor.captured + 1);
  const bytes = intAt(cursor, 1, line);
  if (bytes < 0 || bytes > LINE_BYTES_MAX) return "";
  cursor.skip(line + 1);
  const text = cursor.text(bytes);
  cursor.skip(2);
  return text;
}

/** What a primary sends to its replica: a snapshot, then commands that get no reply. */
function readReplicaStream(
  cursor: Cursor,
  make: RedisMake,
  progress: Progress,
  type: number,
): Step {
  if (type === 0x0a) {
    cursor.skip(1);
    return NOTHING;
  }
  if (type === 0x24) {
    const line = cursor.find(0x0a);
    if (line < 0) cursor.need(cursor.captured + 1);
    if (cursor.peek(1) === 0x45) return { kind: "lost" };
    const bytes = Math.max(0, intAt(cursor, 1, line));
    cursor.skip(line + 1);
    return { kind: "skip", bytes };
  }
  if (type !== 0x2a) throw new Malformed("replication stream");
  const line = cursor.find(0x0a);
  if (line < 0) cursor.need(cursor.captured + 1);
  const start = cursor.position;
  cursor.skip(line + 1);
  const command = word(cursor).toUpperCase();
  cursor.rewind(start);
  const more = passElement(cursor, progress);
  return make.oneway({ type: command, resource: command, endpoint: command, more });
}
