// SPDX-License-Identifier: Apache-2.0
// IMAP 4.
//
//   client: tag command … CRLF
//   server: tag OK or NO or BAD text CRLF, * data CRLF, + text CRLF
//   literal: {bytes} or {bytes+} at the end of a line; so many bytes follow, then the line goes on
//
// Lines with `*` before the tagged one belong to its answer. Arguments of LOGIN and AUTHENTICATE
// are not read.

import type { Status } from "../../../model/status.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";
import { firstWordBytes } from "./first_word.ts";
import { goesOnInTls } from "./goes_on_in_tls.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 16_384;

const FIELDS = {
  command: { type: "string", doc: "command, UID in front of it if it has one" },
  mailbox: { type: "string", doc: "mailbox that the command names" },
  tag: { type: "string", doc: "tag of the command" },
  outcome: { type: "string", doc: "OK, NO, BAD, BYE or PREAUTH" },
  reply: { type: "string", doc: "text of the reply" },
} as const;
type F = typeof FIELDS;

const COMMANDS = new Set([
  ...["CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "AUTHENTICATE", "LOGIN", "SELECT", "EXAMINE"],
  ...["CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "LIST", "LSUB", "STATUS"],
  ...["APPEND", "CHECK", "CLOSE", "EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY", "UID", "IDLE"],
  ...["NAMESPACE", "ID", "ENABLE", "MOVE", "UNSELECT", "COMPRESS", "GETQUOTA", "GETQUOTAROOT"],
  ...["SORT", "THREAD", "NOTIFY", "GETACL", "SETACL", "MYRIGHTS", "XLIST"],
]);
const MAILBOX_FIRST = new Set([
  ...["SELECT", "EXAMINE", "CREATE", "DELETE", "SUBSCRIBE", "UNSUBSCRIBE", "STATUS", "APPEND"],
]);

interface State {
  /** Bytes of a literal to pass, per direction, and whether the line goes on behind it. */
  readonly literal: Record<Way, number>;
  readonly continued: Record<Way, boolean>;
  /** Tag of a command whose end has not been told: the line had a literal. */
  open: boolean;
  /** Tag of the STARTTLS that waits for its answer. */
  securing: string;
  /** IDLE and AUTHENTICATE: lines of the client without a tag, until the answer. */
  untagged: string;
  encrypted: boolean;
  /** The server has said something. */
  answered: boolean;
}

export const imap = defineProtocol<F, State>({
  name: "imap",
  spec: "https://www.rfc-editor.org/rfc/rfc9051",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 1_800_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("*", [0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]),
  probe,
  open: () => ({
    literal: { toServer: 0, toClient: 0, unknown: 0 },
    continued: { toServer: false, toClient: false, unknown: false },
    open: false,
    securing: "",
    untagged: "",
    encrypted: false,
    answered: false,
  }),

  read(cursor, way, make, state) {
    if (state.encrypted && goesOnInTls(cursor)) return { kind: "switch", to: "tls" };
    state.encrypted = false;
    const bytes = state.literal[way];
    if (bytes > 0) {
      state.literal[way] = 0;
      return { kind: "skip", bytes };
    }
    const line = cursor.line(LINE_BYTES_MAX);
    const literal = /\{(\d{1,9})\+?\}$/.exec(line)?.[1];
    const rest = state.continued[way];
    state.continued[way] = literal !== undefined;
    state.literal[way] = literal === undefined ? 0 : Number(literal);
    if (way === "toClient") return rest ? NOTHING : readAnswer(line, make, state);
    if (rest) return literal === undefined ? endOf(state) : NOTHING;
    return readCommand(line, literal !== undefined, make, state);
  },

  lost(state, way) {
    state.literal[way] = 0;
    state.continued[way] = false;
    state.open = false;
  },
});

const NOTHING: Step = { kind: "nothing" };

function endOf(state: State): Step {
  const { open } = state;
  state.open = false;
  return open ? { kind: "end" } : NOTHING;
}

function readCommand(line: string, more: boolean, make: Make<F>, state: State): Step {
  const found = /^([^\s(){%*"\\+]{1,64}) (UID )?([A-Za-z]+)\b ?(.*)$/.exec(line);
  const verb = found?.[3]?.toUpperCase() ?? "";
  if (found === null || !COMMANDS.has(verb)) {
    if (state.untagged !== "") return NOTHING;
    throw new Malformed("no such command");
  }
  const [, tag = "", uid, , rest = ""] = found;
  const command = uid === undefined ? verb : `UID ${verb}`;
  const mailbox = MAILBOX_FIRST.has(verb)
    ? /^"((?:[^"\\]|\\.)*)"|^([^\s{]+)/.exec(rest)?.slice(1).find((each) => each !== undefined) ??
      ""
    : "";
  if (verb === "STARTTLS") state.securing = tag;
  state.untagged = verb === "IDLE" || verb === "AUTHENTICATE" ? tag : "";
  state.open = more;
  return make.request({
    type: command,
    resource: mailbox,
    endpoint: command,
    id: tag,
    more,
    fields: { command, ...(mailbox !== "" && { mailbox }), tag },
  });
}

function readAnswer(line: string, make: Make<F>, state: State): Step {
  const first = !state.answered;
  state.answered = true;
  if (line.startsWith("+")) return NOTHING;
  const found = /^(\S{1,64}) (OK|NO|BAD|BYE|PREAUTH)\b ?(.*)$/i.exec(line);
  if (found === null) {
    if (line.startsWith("* ")) return NOTHING;
    throw new Malformed("no reply");
  }
  const [, tag = "", word = "", reply = ""] = found;
  const outcome = word.toUpperCase();
  if (tag === "*") {
    const greets = (first && outcome === "OK") || outcome === "PREAUTH" || outcome === "BYE" ||
      reply.includes("IMAP");
    if (!greets) return NOTHING;
    const type = outcome === "BYE" ? "BYE" : "GREETING";
    return make.oneway({ type, status: "ok", fields: { outcome, reply } });
  }
  if (tag === state.untagged) state.untagged = "";
  if (tag === state.securing && outcome === "OK") state.encrypted = true;
  return make.response({
    id: tag,
    status: statusOf(outcome, reply),
    fields: { tag, outcome, reply },
  });
}

/** NO is the client's fault unless its code says that the server cannot. */
function statusOf(outcome: string, reply: string): Status {
  if (outcome === "OK") return "ok";
  return /\[(?:UNAVAILABLE|SERVERBUG|CONTACTADMIN|INUSE)\]/i.test(reply)
    ? "server_error"
    : "client_error";
}

const NO: Claim = { kind: "no" };

/** A tag with a digit or of one letter, and a verb with as many words as it takes. */
const COMMAND = new RegExp(
  "^(?:[A-Za-z]*\\d[A-Za-z0-9]{0,15}|[A-Za-z]) (?:" + [
    "CAPABILITY|STARTTLS|LOGOUT|IDLE",
    'LOGIN (?:"[^"]*"|\\S+) (?:"[^"]*"|\\S+)',
    "AUTHENTICATE \\S+(?: \\S+)?",
    '(?:SELECT|EXAMINE) (?:"[^"]*"|\\S+)(?: \\(.*\\))?',
    "(?:UID )?FETCH [\\d:*,]+ .*",
  ].join("|") + ")\\r?\\n",
  "i",
);

/** One letter or `*`, or a word with a digit in it: no word of a language. */
function isTag(bytes: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if ((bytes[i] as number) < 0x3a) return true;
  return length === 1;
}

function probe(bytes: Uint8Array): Claim {
  const tag = bytes[0] === 0x2a ? 1 : firstWordBytes(bytes, 17);
  if (tag === 0 || tag > 16 || bytes[tag] !== 0x20 || !isTag(bytes, tag)) return NO;
  const text = latin1Of(bytes, 0, 160);
  if (/^\* (?:OK|PREAUTH) [^\r\n]*IMAP/i.test(text)) return { kind: "response", score: 95 };
  // Servers need not say what they are.
  if (/^\* OK [^\r\n]+\r?\n$/.test(text)) return { kind: "response", score: 60 };
  return COMMAND.test(text) ? { kind: "request", score: 82 } : NO;
}
