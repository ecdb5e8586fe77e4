// SPDX-License-Identifier: Apache-2.0
// POP3.
//
//   client: VERB [argument] CRLF        server: +OK or -ERR, text CRLF
//   LIST, UIDL, RETR, TOP and CAPA: lines up to one with nothing but a dot follow +OK
//
// Arguments of USER are kept, those of PASS, APOP and AUTH are not read.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";
import { type DotLines, passDotLine } from "./dot_lines.ts";
import { firstWordBytes } from "./first_word.ts";
import { goesOnInTls } from "./goes_on_in_tls.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 8_192;
const ASKED_MAX = 1_024;

const FIELDS = {
  command: { type: "string", doc: "verb of the command" },
  argument: { type: "string", doc: "number of the message and the like" },
  user: { type: "string", doc: "user that logs in" },
  reply: { type: "string", doc: "text of the reply" },
} as const;
type F = typeof FIELDS;

const VERBS = new Set([
  ...["USER", "PASS", "APOP", "AUTH", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP"],
  ...["UIDL", "QUIT", "CAPA", "STLS", "UTF8", "LANG"],
]);

interface State extends DotLines {
  /** Whether the answers that are due have lines behind them, oldest first. */
  readonly asked: { verb: string; lines: boolean }[];
  /** Lines of an answer are passing. */
  lines: boolean;
  /** A login goes on: its lines are secrets. */
  secrets: boolean;
  encrypted: boolean;
  /** The server has said something. */
  answered: boolean;
}

export const pop3 = defineProtocol<F, State>({
  name: "pop3",
  spec: "https://www.rfc-editor.org/rfc/rfc1939",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet("+-ACDLRSTUacdlrstu"),
  words: [
    ...["+OK", "-ERR", "USER", "CAPA", "UIDL", "STLS", "APOP"],
    ...["RETR", "DELE", "TOP ", "LIST", "STAT"],
  ],
  probe,
  open: () => ({
    asked: [],
    lines: false,
    inLine: false,
    secrets: false,
    encrypted: false,
    answered: false,
  }),

  read(cursor, way, make, state) {
    if (state.encrypted && goesOnInTls(cursor)) return { kind: "switch", to: "tls" };
    state.encrypted = false;
    const first = cursor.peek();
    const answers = way === "toClient" || (way === "unknown" && (first === 0x2b || first === 0x2d));
    return answers ? readAnswer(cursor, make, state) : readCommand(cursor, make, state);
  },

  lost(state, way) {
    if (way === "toServer") return;
    state.asked.length = 0;
    state.lines = false;
    state.inLine = false;
  },
});

const NOTHING: Step = { kind: "nothing" };

function readCommand(cursor: Cursor, make: Make<F>, state: State): Step {
  const line = cursor.line(LINE_BYTES_MAX);
  if (state.secrets) return NOTHING;
  const verb = (/^[A-Za-z0-9]+/.exec(line)?.[0] ?? "").toUpperCase();
  if (!VERBS.has(verb)) throw new Malformed("no such command");
  const secret = verb === "PASS" || verb === "APOP" || verb === "AUTH";
  const rest = secret ? "" : line.slice(verb.length).trim();
  const lines = verb === "RETR" || verb === "TOP" || verb === "CAPA" ||
    (rest === "" && (verb === "LIST" || verb === "UIDL"));
  if (state.asked.length < ASKED_MAX) state.asked.push({ verb, lines });
  state.secrets = verb === "AUTH";
  return make.request({
    type: verb,
    resource: rest,
    endpoint: verb,
    fields: {
      command: verb,
      ...(verb === "USER" ? { user: rest } : rest !== "" && { argument: rest }),
    },
  });
}

function readAnswer(cursor: Cursor, make: Make<F>, state: State): Step {
  if (state.lines) {
    if (!passDotLine(cursor, state)) return NOTHING;
    state.lines = false;
    return { kind: "end" };
  }
  const line = cursor.line(LINE_BYTES_MAX);
  // A challenge of AUTH.
  if (line.startsWith("+ ") || line === "+") return NOTHING;
  const found = /^(\+OK|-ERR)\b ?(.*)$/.exec(line);
  if (found === null) throw new Malformed("no reply");
  const ok = found[1] === "+OK";
  const reply = found[2] ?? "";
  const fields = reply === "" ? {} : { reply };
  const asked = state.asked.shift();
  const status = ok ? "ok" as const : "client_error" as const;
  const first = !state.answered;
  state.answered = true;
  if (asked === undefined) {
    // Joined midway: only the words tell whether lines follow.
    state.lines = ok && LINES_FOLLOW.test(reply);
    return first && !state.lines && !JOINED.test(reply)
      ? make.oneway({ type: "GREETING", status, fields })
      : make.response({ status, more: state.lines, fields });
  }
  if (asked.verb === "AUTH") state.secrets = false;
  if (asked.verb === "STLS" && ok) state.encrypted = true;
  state.lines = ok && asked.lines;
  return make.response({ status, more: state.lines, fields });
}

const LINES_FOLLOW = /octets\b|\bfollows?\b|^\d+ messages\b|capability list/i;
/** Answers to STAT and LIST with a number, UIDL with one, and what greets nobody. */
const JOINED = /^\d+ \S+$|deleted|logged|mailbox|password/i;

const NO: Claim = { kind: "no" };

/** The greeting; Redis says +OK too, but without a text, and -ERR. */
function probe(bytes: Uint8Array): Claim {
  if (bytes[0] !== 0x2b && bytes[0] !== 0x2d && firstWordBytes(bytes, 4) < 4) return NO;
  const text = latin1Of(bytes, 0, 128);
  if (/^\+OK [^\r\n]*(?:POP3?|ready|Dovecot|<[^>]+@[^>]+>)[^\r\n]*\r?\n/i.test(text)) {
    return { kind: "response", score: 90 };
  }
  // Joined midway: what follows +OK is words, or two numbers.
  if (/^\+OK \d+ octets\b[^\r\n]*\r?\n/i.test(text)) return { kind: "response", score: 88 };
  if (/^(?:\+OK\r?\n)*\+OK (?:\d+ \d+|[A-Za-z][ -~]*)\r?\n/.test(text)) {
    return { kind: "response", score: 55 };
  }
  if (/^-ERR (?:unknown (?:sub)?command ['`]|wrong number of arg)/.test(text)) return NO;
  // Redis claims as much, so the next bytes decide.
  if (/^(?:\+OK|-ERR [A-Za-z[][ -~]*)\r?\n/.test(text)) return { kind: "response", score: 50 };
  // FTP logs in alike, and claims as much: only what else is said can tell.
  // Behind it comes nothing yet, or another command: "user" also begins sentences.
  if (/^USER \S+(?: \S+)?\r?\n(?:$|(?:PASS|STAT|LIST|CAPA|UIDL|QUIT|STLS)\b)/i.test(text)) {
    const own = /\n(?:UIDL|CAPA|DELE \d|RETR \d|LIST\r?\n|STAT\r?\n)/i.test(text);
    return { kind: "request", score: own ? 85 : 60 };
  }
  if (/^(?:CAPA|UIDL|STLS)\r?\n$/i.test(text)) return { kind: "request", score: 85 };
  if (/^(?:(?:RETR|DELE|LIST|UIDL) \d+|TOP \d+ \d+)\r?\n$/i.test(text)) {
    return { kind: "request", score: 80 };
  }
  return /^APOP \S+ [0-9a-f]{32}\r?\n$/i.test(text) ? { kind: "request", score: 95 } : NO;
}
