// SPDX-License-Identifier: Apache-2.0
// SMTP.
//
//   client: VERB [argument] CRLF        server: code u3 (space or -) text CRLF
//   after DATA and 354: the message, up to a line with nothing but a dot
//   BDAT bytes [LAST] CRLF: so many bytes of the message follow
//
// The message that follows DATA is a request of its own: the server answers it. What follows AUTH
// is secret and is not read.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../wire/protocol.ts";
import { type DotLines, passDotLine } from "./dot_lines.ts";
import { firstWordBytes } from "./first_word.ts";
import { goesOnInTls } from "./goes_on_in_tls.ts";
import { greets, readReply, statusOf } from "./reply_code.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 8_192;

const FIELDS = {
  command: { type: "string", doc: "verb of the command" },
  sender: { type: "string", doc: "address of MAIL FROM" },
  recipient: { type: "string", doc: "address of RCPT TO" },
  client_name: { type: "string", otel: "client.address", doc: "name in HELO or EHLO" },
  mechanism: { type: "string", doc: "mechanism of AUTH" },
  status_code: { type: "number", doc: "reply code" },
  reply: { type: "string", doc: "first line of a reply" },
} as const;
type F = typeof FIELDS;

const VERBS = new Set([
  ...["HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "HELP"],
  ...["NOOP", "QUIT", "AUTH", "STARTTLS", "XCLIENT"],
]);

interface State extends DotLines {
  /** What the server is asked and has not answered, oldest first. */
  readonly asked: string[];
  /** The client sends a message, or secrets of a login, instead of commands. */
  mode: "commands" | "message" | "secrets";
  /** A message was told; its end is still to come. */
  told: boolean;
  /** Bytes of BDAT still to pass. */
  left: number;
  encrypted: boolean;
  /** The server has answered something. */
  answered: boolean;
}

export const smtp = defineProtocol<F, State>({
  name: "smtp",
  spec: "https://www.rfc-editor.org/rfc/rfc5321",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 300_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet("23DdEeHhLlMmRr"),
  words: ["220", "250", "354", "EHLO", "LHLO", "HELO", "MAIL FROM", "RCPT TO", "DATA"],
  probe,
  open: () => ({
    asked: [],
    mode: "commands",
    told: false,
    left: 0,
    inLine: false,
    encrypted: false,
    answered: false,
  }),

  read(cursor, way, make, state) {
    if (state.encrypted && goesOnInTls(cursor)) return { kind: "switch", to: "tls" };
    state.encrypted = false;
    if (way === "toClient" || (way === "unknown" && isDigit(cursor.peek()))) {
      return readAnswer(cursor, make, state);
    }
    if (state.left > 0) return readChunk(cursor, state);
    if (state.mode === "message") return readMessage(cursor, make, state);
    const start = cursor.position;
    const line = cursor.line(LINE_BYTES_MAX);
    if (state.mode === "secrets" && !AFTER_LOGIN.test(line)) return NOTHING;
    state.mode = "commands";
    const verb = (/^[A-Za-z]+/.exec(line)?.[0] ?? "").toUpperCase();
    if (VERBS.has(verb)) return readCommand(verb, line, make, state);
    if (state.asked.at(-1) !== "DATA") throw new Malformed("no such command");
    // The answer to DATA was not captured: this is the message.
    cursor.rewind(start);
    state.asked.pop();
    state.mode = "message";
    return readMessage(cursor, make, state);
  },

  lost(state, way) {
    state.told = false;
    state.left = 0;
    state.inLine = false;
    // Where a message ends is seen by what the client says next.
    if (way !== "toClient") state.mode = "commands";
    if (way !== "toServer") state.asked.length = 0;
  },
});

/** No secret looks like this: the end of the login was not captured. */
const AFTER_LOGIN = /^(?:MAIL FROM:|RCPT TO:|EHLO |HELO )/i;
const NOTHING: Step = { kind: "nothing" };
const ASKED_MAX = 1_024;
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function readCommand(verb: string, line: string, make: Make<F>, state: State): Step {
  const rest = line.slice(verb.length).trim();
  const address = /^[^<]*<([^>]*)>/.exec(rest)?.[1] ?? "";
  const draft: Draft<F> = {
    type: verb,
    resource: verb === "AUTH" ? "" : address || rest,
    endpoint: verb,
    fields: {
      command: verb,
      ...(verb === "MAIL" && { sender: address }),
      ...(verb === "RCPT" && { recipient: address }),
      ...((verb === "EHLO" || verb === "HELO" || verb === "LHLO") && { client_name: rest }),
      ...(verb === "AUTH" && { mechanism: rest.split(" ", 1)[0] ?? "" }),
    },
  };
  if (state.asked.length < ASKED_MAX) state.asked.push(verb);
  if (verb === "AUTH") state.mode = "secrets";
  const bytes = verb === "BDAT" ? /^(\d{1,9})\b/.exec(rest)?.[1] : undefined;
  if (bytes === undefined || bytes === "0") return make.request(draft);
  state.left = Number(bytes);
  return make.request({ ...draft, more: true });
}

/** The bytes of BDAT: all but the last one are skipped, that one ends it. */
function readChunk(cursor: Cursor, state: State): Step {
  const bytes = state.left - 1;
  if (bytes > 0) {
    state.left = 1;
    return { kind: "skip", bytes };
  }
  cursor.skip(1);
  state.left = 0;
  return { kind: "end" };
}

/** The message: told with its first line, over with the line that is a dot. */
function readMessage(cursor: Cursor, make: Make<F>, state: State): Step {
  const end = passDotLine(cursor, state);
  if (end) state.mode = "commands";
  if (state.told) {
    state.told = !end;
    return end ? { kind: "end" } : NOTHING;
  }
  state.told = !end;
  if (state.asked.length < ASKED_MAX) state.asked.push("MESSAGE");
  return make.request({
    type: "MESSAGE",
    endpoint: "MESSAGE",
    more: !end,
    fields: { command: "MESSAGE" },
  });
}

function readAnswer(cursor: Cursor, make: Make<F>, state: State): Step {
  const { code, text } = readReply(cursor);
  const fields = { status_code: code, reply: text };
  // A client that is in a hurry does not wait for the greeting: only STARTTLS is answered so, too.
  const early = !state.answered && code === 220 && state.asked[0] !== "STARTTLS";
  state.answered = true;
  const verb = early ? undefined : state.asked.shift();
  if (verb === undefined && greets(code)) {
    return make.oneway({ type: "GREETING", code, status: statusOf(code), fields });
  }
  if (verb === "DATA" && code === 354 && !state.asked.includes("MESSAGE")) state.mode = "message";
  else if (verb === "AUTH") {
    if (code === 334) {
      state.asked.unshift(verb);
      return NOTHING;
    }
    state.mode = "commands";
  } else if (verb === "STARTTLS" && code === 220) state.encrypted = true;
  return make.response({ code, status: statusOf(code), fields });
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  if (firstWordBytes(bytes, 3) < 3 && length >= 3) return NO;
  const text = latin1Of(bytes, 0, 128);
  if (/^220[ -][^\r\n]*SMTP/i.test(text)) return { kind: "response", score: 92 };
  // Joined midway: replies with enhanced codes (RFC 2034), the go-ahead, and what asks for it.
  if (/^250[ -]2\.[0-7]\.\d+ /.test(text)) return { kind: "response", score: 85 };
  if (/^354[ -][^\r\n]*(?:\.|mail)[^\r\n]*\r?\n/i.test(text)) {
    return { kind: "response", score: 75 };
  }
  if (/^DATA\r?\n$/i.test(text)) return { kind: "request", score: 75 };
  if (/^(?:EHLO|LHLO) [^\r\n]+\r?\n/i.test(text)) return { kind: "request", score: 90 };
  if (/^HELO [^\r\n]+\r?\n/i.test(text)) return { kind: "request", score: 85 };
  if (/^(?:MAIL FROM|RCPT TO):\s*</i.test(text)) return { kind: "request", score: 88 };
  return length < 5 && /^(?:EHLO?|HELO?|220)$/i.test(text) ? { kind: "maybe" } : NO;
}
