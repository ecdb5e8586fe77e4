// SPDX-License-Identifier: Apache-2.0
// Redis: RESP2 and RESP3, and inline commands. Valkey, KeyDB and Dragonfly speak the same.
//
// Command and first key are kept, values never are. What is longer than the bytes at hand is gone
// through once, element by element, with its progress in the state.

import { byteSet } from "../../wire/byte_set.ts";
import type { Cursor } from "../../wire/cursor.ts";
import { defineProtocol, type Fields, type Step } from "../../wire/protocol.ts";
import { type Conversation, newConversation } from "./redis_conversation.ts";
import { INLINE_WORDS, probeRedis } from "./redis_probe.ts";
import { readCommand } from "./redis_command.ts";
import { readReply } from "./redis_reply.ts";
import { newProgress, passElements, type Progress } from "./resp.ts";

export const REDIS_FIELDS = {
  command: { type: "string", otel: "db.operation.name", doc: "command, upper case" },
  key: { type: "string", doc: "first key, as far as the command has one" },
  arguments: { type: "number", doc: "arguments of the command, the key among them" },
  message_id: {
    type: "string",
    otel: "messaging.message.id",
    doc: "id of an entry that was read from a stream",
  },
  error: { type: "string", doc: "error reply" },
  error_prefix: {
    type: "string",
    otel: "db.response.status_code",
    doc: "first word of the error: ERR, WRONGTYPE, MOVED …",
  },
  reply_type: { type: "string", doc: "RESP type of the reply" },
} as const satisfies Fields;

export const redis = defineProtocol({
  name: "redis",
  spec: "https://redis.io/docs/latest/develop/reference/protocol-spec/",
  transports: ["tcp", "unix"],
  fields: REDIS_FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet("+-:$*_#,(!=%~>|", [0x41, 0x5a], [0x61, 0x7a]),
  words: INLINE_WORDS,
  probe: probeRedis,
  open: (_transport, options): RedisState => ({
    up: newProgress(),
    down: newProgress(),
    conversation: newConversation(options?.unmask === true),
  }),
  read(cursor, way, make, state): Step {
    const up = way === "toServer" || (way === "unknown" && cursor.peek() === 0x2a);
    const progress = up ? state.up : state.down;
    if (progress.tail) return passRest(cursor, progress);
    return up
      ? readCommand(cursor, make, progress, state.conversation)
      : readReply(cursor, make, progress, state.conversation);
  },
  lost(state, way) {
    if (way !== "toClient") state.up = newProgress();
    if (way !== "toServer") state.down = newProgress();
  },
});

interface RedisState {
  up: Progress;
  down: Progress;
  readonly conversation: Conversation;
}

const END: Step = { kind: "end" };
const NOTHING: Step = { kind: "nothing" };

/** The rest of a message whose head was emitted. */
function passRest(cursor: Cursor, progress: Progress): Step {
  const position = cursor.position;
  if (progress.skip === 0) passElements(cursor, progress);
  if (progress.skip > 0) {
    const bytes = progress.skip;
    progress.skip = 0;
    return { kind: "skip", bytes };
  }
  if (progress.elements === 0) {
    progress.tail = false;
    return END;
  }
  if (cursor.position === position) cursor.need(cursor.captured + 1);
  return NOTHING;
}
