// SPDX-License-Identifier: Apache-2.0
// Commands: an array of bulk strings, or a line of words (inline).

import type { Envelope } from "../../../model/queues/envelope.ts";
import { attempt } from "../../wire/attempt.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import type { Make, Step } from "../../wire/protocol.ts";
import { type Conversation, note } from "./redis_conversation.ts";
import type { REDIS_FIELDS } from "./redis.ts";
import { isCommandName } from "./redis_names.ts";
import { envelopeOfCommand } from "./redis_queues.ts";
import { intAt, passElements, type Progress } from "./resp.ts";

type RedisMake = Make<typeof REDIS_FIELDS>;

const KEY_BYTES_MAX = 512;
const NAME_BYTES_MAX = 128;
/** So much of a first argument is worth waiting for: then the second one is known as well. */
const WAITED_BYTES_MAX = 4_096;
/** Of a command whose arguments are asked for. */
const WHOLE_BYTES_MAX = 4_096;
const INLINE_BYTES_MAX = 65_536;
const ARGUMENTS_MAX = 1_048_576;

/** First arguments that are no keys: kept where they are words of the command, else masked. */
const KEYLESS = new Set([
  "AUTH",
  "HELLO",
  "PING",
  "ECHO",
  "SELECT",
  "INFO",
  "MIGRATE",
  "EVAL",
  "EVALSHA",
  "EVAL_RO",
  "EVALSHA_RO",
  "FCALL",
  "FCALL_RO",
  ...["SCAN", "WAIT", "WAITAOF", "XREAD", "XREADGROUP", "REPLICAOF", "SLAVEOF", "SWAPDB", "PSYNC"],
  ...["FLUSHALL", "FLUSHDB", "SHUTDOWN", "FAILOVER", "LOLWUT", "BITOP", "BGSAVE", "RESET", "QUIT"],
  ...["LMPOP", "BLMPOP", "ZMPOP", "BZMPOP", "SINTERCARD", "ZINTERCARD", "ZINTER", "ZUNION"],
  "ZDIFF",
]);

/** Commands whose first argument names the operation: CONFIG GET, CLUSTER NODES … */
const CONTAINERS = new Set([
  "ACL",
  "CLIENT",
  "CLUSTER",
  "COMMAND",
  "CONFIG",
  "DEBUG",
  "FUNCTION",
  "LATENCY",
  "MEMORY",
  "MODULE",
  "OBJECT",
  "PUBSUB",
  "SCRIPT",
  "SENTINEL",
  "SLOWLOG",
  "XGROUP",
  "XINFO",
]);

/** What these have behind the operation is a program or data, or a password it is for. */
const SECRETIVE = new Set(["SCRIPT LOAD", "FUNCTION LOAD", "FUNCTION RESTORE", "ACL GENPASS"]);

export function readCommand(
  cursor: Cursor,
  make: RedisMake,
  progress: Progress,
  conversation: Conversation,
): Step {
  if (cursor.peek() !== 0x2a) return readInline(cursor, make, conversation);
  const start = cursor.position;
  const line = lineAt(cursor);
  const count = intAt(cursor, 1, line);
  if (count > ARGUMENTS_MAX) throw new Malformed("too many arguments");
  cursor.skip(line + 1);
  if (count <= 0) return { kind: "nothing" };
  const command = upper(wholeBulk(cursor));
  const container = CONTAINERS.has(command);
  let left = count - 1;
  const envelope = envelopeOfCommand(cursor, command, left);
  let first = "", second = "", skip = 0;
  if (left > 0) {
    left--;
    first = decodeBulk(cursor);
    skip = passBulkText(cursor);
    if (left > 0 && skip === 0 && (container || command === "CLIENT")) {
      left--;
      second = decodeBulk(cursor);
      skip = passBulkText(cursor);
    }
  }
  // From here on nothing throws: what is written to the state stays.
  progress.elements = left;
  progress.skip = skip;
  if (skip === 0) passElements(cursor, progress);
  progress.tail = progress.elements > 0 || progress.skip > 0;
  const { tail: more } = progress;
  const whole = conversation.unmask ? wholeText(cursor, start, count) : "";
  const words: Words = { command, first, second, count, container, more, whole, envelope };
  if (envelope?.role === "receive") conversation.receives = true;
  return emit(make, conversation, words);
}

/** `GET key` as a line, which people type. */
function readInline(cursor: Cursor, make: RedisMake, conversation: Conversation): Step {
  const words = cursor.line(INLINE_BYTES_MAX).match(INLINE_WORD) ?? [];
  const [name = "", first = "", second = ""] = words;
  if (name === "") return { kind: "nothing" };
  const command = upper(name);
  if (!isCommandName(command)) throw new Malformed("inline command");
  return emit(make, conversation, {
    command,
    first: unquoted(first).slice(0, KEY_BYTES_MAX),
    second: unquoted(second).slice(0, KEY_BYTES_MAX),
    count: words.length,
    container: CONTAINERS.has(command),
    more: false,
    whole: conversation.unmask ? words.join(" ") : "",
    envelope: undefined,
  });
}

/** Quotes may stand around a word and hold spaces. */
const INLINE_WORD = /(?:[^\s"']|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$))+/g;

const unquoted = (word: string): string => word.replace(/^(["'])(.*)\1$/s, "$2");

/** The command as it was sent, as far as it is at hand. */
function wholeText(cursor: Cursor, start: number, count: number): string {
  const end = cursor.position;
  const words: string[] = [];
  let bytes = 0;
  cursor.rewind(start);
  cursor.enter(cursor.captured);
  attempt(() => {
    cursor.skip(lineAt(cursor) + 1);
    while (words.length < count && bytes < WHOLE_BYTES_MAX) {
      const length = bulkLength(cursor);
      words.push(cursor.textCaptured(Math.min(length, cursor.remaining), WHOLE_BYTES_MAX));
      bytes += length;
      passCrlf(cursor);
    }
  });
  cursor.leave();
  cursor.rewind(end);
  return words.join(" ");
}

interface Words {
  readonly command: string;
  readonly first: string;
  readonly second: string;
  /** All words, the command among them. */
  readonly count: number;
  readonly container: boolean;
  readonly more: boolean;
  /** With all arguments, "" where that was not asked for. */
  readonly whole: string;
  readonly envelope: Envelope | undefined;
}

function emit(make: RedisMake, conversation: Conversation, words: Words): Step {
  const { command, first, count, container, more, whole, envelope } = words;
  const silent = note(conversation, command, first, words.second, count);
  const operation = container && first !== "" ? `${command} ${upper(first)}` : command;
  const key = keyOf(words, operation);
  const draft = {
    type: command,
    resource: whole !== "" ? whole : key === "" ? operation : `${operation} ${key}`,
    endpoint: operation,
    more,
    envelope,
    fields: key === ""
      ? { command: operation, arguments: count - 1 }
      : { command: operation, key, arguments: count - 1 },
  };
  return silent ? make.oneway(draft) : make.request(draft);
}

/** Of a command that nobody knows the argument may be anything. */
function keyOf({ command, first, second, container }: Words, operation: string): string {
  if (container) return SECRETIVE.has(operation) ? "" : second;
  return KEYLESS.has(command) || !isCommandName(command) ? "" : first;
}

function lineAt(cursor: Cursor): number {
  const line = cursor.find(0x0a);
  if (line < 0) cursor.need(cursor.captured + 1);
  return line;
}

/** The command's name: short, and at hand as a whole. */
function wholeBulk(cursor: Cursor): string {
  const bytes = bulkLength(cursor);
  if (bytes > NAME_BYTES_MAX) throw new Malformed("command name");
  const text = cursor.text(bytes);
  passCrlf(cursor);
  return text;
}

let rest = 0;

/** The beginning of an argument; what of it remains is passed by `passBulkText`. */
function decodeBulk(cursor: Cursor): string {
  const bytes = bulkLength(cursor);
  const kept = Math.min(bytes, KEY_BYTES_MAX);
  rest = bytes - kept + 2;
  return cursor.text(kept);
}

/** Bytes to be passed over before the next argument, 0 when it is at hand. */
function passBulkText(cursor: Cursor): number {
  const waits = rest <= WAITED_BYTES_MAX && cursor.captured === cursor.remaining;
  if (rest > cursor.remaining && !waits) return rest;
  cursor.skip(rest);
  return 0;
}

function bulkLength(cursor: Cursor): number {
  if (cursor.peek() !== 0x24) throw new Malformed("bulk string expected");
  const line = lineAt(cursor);
  const bytes = intAt(cursor, 1, line);
  if (bytes < 0) throw new Malformed("null in a command");
  cursor.skip(line + 1);
  return bytes;
}

function passCrlf(cursor: Cursor): void {
  if (cursor.u8() !== 0x0d || cursor.u8() !== 0x0a) throw new Malformed("end of a bulk string");
}

/** Upper case of a word that mostly is so already. */
function upper(word: string): string {
  for (let i = 0; i < word.length; i++) {
    if (word.charCodeAt(i) > 0x5a) return word.toUpperCase();
  }
  return word;
}
