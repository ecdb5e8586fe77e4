// SPDX-License-Identifier: Apache-2.0
// Redis as a broker: lists that are pushed to and popped from, streams, and channels.
//
//   LPUSH key value …     PUBLISH channel message     XADD key [options] id (field value) …
//   popped: value | [key, value] | [key, [value …]]   read: [[key, [[id, [field, value …]] …]] …]
//
// An element is known by its value alone, because what pops it need not name the list in its
// reply. An entry of a stream is known by its fields, which both sides write byte by byte alike.

import type { Envelope } from "../../../model/queues/envelope.ts";
import type { Cursor } from "../../wire/cursor.ts";
import {
  CONTENT_BYTES_MAX,
  envelope,
  isAtHand,
  keyOfBytes,
  KEYS_MAX,
} from "../../wire/payload/envelope.ts";
import type { Draft } from "../../wire/protocol.ts";
import type { REDIS_FIELDS } from "./redis.ts";
import { intAt } from "./resp.ts";

type RedisDraft = Draft<typeof REDIS_FIELDS>;

/** Of a command or a reply only so much is gone through for its messages. */
const LOOKED_BYTES_MAX = 16_384;

type Queueing = "push" | "pop" | "publish" | "add";

/** One look for each command that there is: most have to do with no queue. */
const COMMANDS: ReadonlyMap<string, Queueing> = new Map<string, Queueing>([
  ...["LPUSH", "RPUSH", "LPUSHX", "RPUSHX"].map((name) => [name, "push"] as const),
  ...["BLPOP", "BRPOP", "LPOP", "RPOP", "LMPOP", "BLMPOP", "RPOPLPUSH", "BRPOPLPUSH"]
    .map((name) => [name, "pop"] as const),
  ...["LMOVE", "BLMOVE", "XREAD", "XREADGROUP"].map((name) => [name, "pop"] as const),
  ...["PUBLISH", "SPUBLISH"].map((name) => [name, "publish"] as const),
  ["XADD", "add"],
]);

/**
 * What a command publishes or asks for. The cursor stands behind the command's name, before `left`
 * arguments, and stays there; what is looked at of them is waited for.
 */
export function envelopeOfCommand(
  cursor: Cursor,
  command: string,
  left: number,
): Envelope | undefined {
  switch (COMMANDS.get(command)) {
    case undefined:
      return undefined;
    case "pop":
      return envelope("receive");
    case "publish":
      return published(cursor);
    case "add":
      return entryAdded(cursor, left);
    case "push": {
      const key = bulkAt(cursor, 0);
      if (key === null) return undefined;
      return envelope("publish", { keys: values(cursor, key.end, left - 1) });
    }
  }
}

function published(cursor: Cursor): Envelope | undefined {
  const channel = bulkAt(cursor, 0);
  const message = channel === null ? null : bulkAt(cursor, channel.end);
  if (channel === null || message === null) return undefined;
  const name = textOf(cursor, channel);
  return envelope("publish", { keys: [keyOf(cursor, message, "channel", name)] });
}

/** A message on a channel that was subscribed to. */
export const envelopeOfMessage = (cursor: Cursor, ahead: number, channel: string): Envelope => {
  const message = bulkAt(cursor, ahead);
  const keys = message === null ? [] : [keyOf(cursor, message, "channel", channel)];
  return envelope("deliver", { keys });
};

const OPTIONS: Readonly<Record<string, number>> = {
  ...{ NOMKSTREAM: 0, KEEPREF: 0, DELREF: 0, ACKED: 0, LIMIT: 1, MAXLEN: 1, MINID: 1 },
};

/** Behind options and id: fields and values. */
function entryAdded(cursor: Cursor, left: number): Envelope | undefined {
  let at = bulkAt(cursor, 0);
  let looked = 1;
  const next = (): string | null => {
    at = at === null || looked >= left ? null : bulkAt(cursor, at.end);
    looked++;
    return at === null ? null : textOf(cursor, at);
  };
  for (let word = next(); word !== null; word = next()) {
    const operands = OPTIONS[word.toUpperCase()];
    if (operands === undefined) break;
    for (let n = operands; n > 0; n--) if (/^[=~]$/.test(next() ?? "")) n++;
  }
  if (at === null) return undefined;
  const key = keyOfFields(cursor, at.end, left - looked);
  return key === null ? undefined : envelope("publish", { keys: [key] });
}

/** The messages in a reply, if it is one to a command that asks for some. `line`: as in RESP. */
export function deliveriesIn(cursor: Cursor, unmask: boolean): readonly RedisDraft[] {
  const type = cursor.peek();
  if (type === 0x24) return elements(cursor, 0, 1, unmask);
  if (type !== 0x2a && type !== 0x25) return [];
  const outer = headAt(cursor, 0);
  if (outer === null || outer.count < 1) return [];
  if (type === 0x2a && typeAt(cursor, outer.end) === 0x24) return popped(cursor, outer, unmask);
  const found: RedisDraft[] = [];
  let ahead = outer.end;
  for (let stream = 0; stream < outer.count && found.length < KEYS_MAX; stream++) {
    if (type === 0x2a) ahead = headAt(cursor, ahead)?.end ?? Infinity;
    const end = streamRead(cursor, ahead, found);
    if (end === null) break;
    ahead = end;
  }
  return found;
}

/** [key, value] or [key, [value …]] */
function popped(cursor: Cursor, outer: Head, unmask: boolean): readonly RedisDraft[] {
  const key = outer.count === 2 ? bulkAt(cursor, outer.end) : null;
  if (key === null) return [];
  if (typeAt(cursor, key.end) === 0x24) return elements(cursor, key.end, 1, unmask);
  const inner = headAt(cursor, key.end);
  return inner === null ? [] : elements(cursor, inner.end, inner.count, unmask);
}

function elements(
  cursor: Cursor,
  from: number,
  count: number,
  unmask: boolean,
): readonly RedisDraft[] {
  const found: RedisDraft[] = [];
  let ahead = from;
  for (let n = 0; n < Math.min(count, KEYS_MAX); n++) {
    const value = bulkAt(cursor, ahead);
    if (value === null) break;
    found.push({
      ...DELIVERY,
      ...(unmask && { resource: textOf(cursor, value) }),
      envelope: envelope("deliver", { keys: [keyOf(cursor, value, "list")] }),
    });
    ahead = value.end;
  }
  return found;
}

/** key, [[id, [field, value …]] …]; where it ends, null if that is too far. */
function streamRead(cursor: Cursor, from: number, found: RedisDraft[]): number | null {
  const key = bulkAt(cursor, from);
  const entries = key === null ? null : headAt(cursor, key.end);
  if (key === null || entries === null) return null;
  let ahead = entries.end;
  for (let n = 0; n < entries.count; n++) {
    const entry = headAt(cursor, ahead);
    const id = entry === null ? null : bulkAt(cursor, entry.end);
    const fields = id === null ? null : headAt(cursor, id.end);
    if (id === null || fields === null) return null;
    const end = endOf(cursor, fields.end, fields.count);
    if (end === null) return null;
    const messageId = textOf(cursor, id);
    if (!/^\d+-\d+$/.test(messageId)) return null;
    if (found.length < KEYS_MAX) {
      const content = keyOfFields(cursor, fields.end, fields.count);
      const name = textOf(cursor, key);
      found.push({
        ...DELIVERY,
        resource: name,
        fields: { key: name, message_id: messageId },
        envelope: envelope("deliver", { keys: content === null ? [] : [content] }),
      });
    }
    ahead = end;
  }
  return ahead;
}

/** What it was asked of says the request: a reply is told as little of as can be. */
const DELIVERY: RedisDraft = { type: "DELIVER", endpoint: "DELIVER" };

/** A bulk string: bytes ahead where its text begins, and where the next element does. */
interface Bulk {
  readonly start: number;
  readonly bytes: number;
  readonly end: number;
}

/** Null where there is none, or no more of it is looked at. */
function bulkAt(cursor: Cursor, ahead: number): Bulk | null {
  const line = lineAt(cursor, ahead);
  if (line < 0 || cursor.peek(ahead) !== 0x24) return null;
  const bytes = intAt(cursor, ahead + 1, line);
  if (bytes < 0 || !isAtHand(cursor, line + 1 + Math.min(bytes, CONTENT_BYTES_MAX))) return null;
  return { start: line + 1, bytes, end: line + 1 + bytes + 2 };
}

/** An array or a map: how many elements, and where the first begins. */
interface Head {
  readonly count: number;
  readonly end: number;
}

function headAt(cursor: Cursor, ahead: number): Head | null {
  const line = lineAt(cursor, ahead);
  if (line < 0 || (cursor.peek(ahead) !== 0x2a && cursor.peek(ahead) !== 0x25)) return null;
  return { count: intAt(cursor, ahead + 1, line), end: line + 1 };
}

const typeAt = (cursor: Cursor, ahead: number): number =>
  lineAt(cursor, ahead) < 0 ? -1 : cursor.peek(ahead);

/** Bytes to the line feed of the line that begins so far ahead; -1 if it is not looked at. */
function lineAt(cursor: Cursor, ahead: number): number {
  if (ahead > LOOKED_BYTES_MAX) return -1;
  const line = cursor.find(0x0a, ahead);
  if (line >= 0 && line - ahead <= LINE_BYTES_MAX) return line;
  if (cursor.captured - ahead > LINE_BYTES_MAX) return -1;
  if (cursor.captured === cursor.remaining) cursor.need(cursor.captured + 1);
  return -1;
}

/** `$`, ten digits, CRLF */
const LINE_BYTES_MAX = 13;

const textOf = (cursor: Cursor, { start, bytes }: Bulk): string => {
  const from = cursor.at + start;
  const end = from + Math.min(bytes, TEXT_BYTES_MAX);
  let text = "";
  for (let at = from; at < end; at++) text += String.fromCharCode(cursor.buffer[at] as number);
  return text;
};

const TEXT_BYTES_MAX = 512;

const keyOf = (cursor: Cursor, { start, bytes }: Bulk, ...parts: readonly string[]): bigint => {
  const looked = Math.min(bytes, CONTENT_BYTES_MAX);
  return keyOfBytes(cursor.buffer, cursor.at + start, looked, bytes, "redis", ...parts);
};

function values(cursor: Cursor, from: number, count: number): bigint[] {
  const keys: bigint[] = [];
  let ahead = from;
  for (let n = 0; n < Math.min(count, KEYS_MAX); n++) {
    const value = bulkAt(cursor, ahead);
    if (value === null) break;
    keys.push(keyOf(cursor, value, "list"));
    ahead = value.end;
  }
  return keys;
}

/** Of as many bulk strings, as they stand there. */
function keyOfFields(cursor: Cursor, from: number, count: number): bigint | null {
  const end = endOf(cursor, from, count);
  return end === null ? null : keyOf(cursor, { start: from, bytes: end - from, end }, "stream");
}

function endOf(cursor: Cursor, from: number, count: number): number | null {
  let ahead = from;
  for (let n = 0; n < count; n++) {
    const value = bulkAt(cursor, ahead);
    if (value === null) return null;
    ahead = value.end;
  }
  return isAtHand(cursor, Math.min(ahead, from + CONTENT_BYTES_MAX)) ? ahead : null;
}
