// SPDX-License-Identifier: Apache-2.0
// FTP, its control connection.
//
//   client: VERB [argument] CRLF        server: code u3 (space or -) text CRLF
//
// A code below 200 says that a transfer goes on; the code after it is the answer. The argument of
// PASS is not read.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";
import { firstWordBytes } from "./first_word.ts";
import { goesOnInTls } from "./goes_on_in_tls.ts";
import { greets, readReply, statusOf } from "./reply_code.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 4_096;

const FIELDS = {
  command: { type: "string", doc: "verb of the command" },
  path: { type: "string", otel: "file.path", doc: "path of the command" },
  user: { type: "string", doc: "user that logs in" },
  status_code: { type: "number", doc: "reply code" },
  reply: { type: "string", doc: "first line of a reply" },
} as const;
type F = typeof FIELDS;

const VERBS = new Set([
  ...["ABOR", "ACCT", "ALLO", "APPE", "AUTH", "CDUP", "CWD", "DELE", "EPRT", "EPSV", "FEAT"],
  ...["HELP", "LIST", "MDTM", "MFMT", "MKD", "MLSD", "MLST", "MODE", "NLST", "NOOP", "OPTS"],
  ...["PASS", "PASV", "PBSZ", "PORT", "PROT", "PWD", "QUIT", "REIN", "REST", "RETR", "RMD"],
  ...["RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE"],
  ...["USER", "XCRC", "XMKD", "XPWD", "XRMD", "CLNT", "HOST", "ADAT", "CCC", "CONF", "ENC", "MIC"],
  ...["LPRT", "LPSV", "XCUP", "XCWD", "LANG", "HASH", "MFCT", "MFF", "AVBL", "CSID"],
]);

/** What only SMTP says, to servers that greet alike. */
const MAIL_VERBS = new Set(["EHLO", "HELO", "LHLO", "MAIL", "RCPT"]);
/** Their arguments are passwords, or bytes under protection. */
const SECRET = new Set(["PASS", "ACCT", "ADAT", "CONF", "ENC", "MIC"]);

interface State {
  /** A command that FTP has was read: servers have more than those that are known here. */
  proven: boolean;
  waiting: number;
  securing: boolean;
  encrypted: boolean;
}

export const ftp = defineProtocol<F, State>({
  name: "ftp",
  spec: "https://www.rfc-editor.org/rfc/rfc959",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 600_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet("1235AaCcDdEeFfMmOoPpRrSsTtUuXx"),
  words: [
    ...["220", "120", "150", "226", "227", "229", "230", "250", "257", "331", "530"],
    ...["USER", "FEAT", "AUTH", "PASV", "EPSV", "SYST", "TYPE", "PORT", "RETR", "STOR", "CWD "],
    ...["PWD", "XPWD", "CDUP", "OPTS", "CLNT", "PBSZ", "PROT", "MLSD", "STRU", "EPRT", "RNFR"],
    ...["MKD", "SITE", "DELE", "SIZE", "MDTM"],
  ],
  probe,
  open: () => ({ proven: false, waiting: 0, securing: false, encrypted: false }),

  read(cursor, way, make, state) {
    if (state.encrypted && goesOnInTls(cursor)) return { kind: "switch", to: "tls" };
    state.encrypted = false;
    const first = cursor.peek();
    const answers = way === "toClient" || (way === "unknown" && first >= 0x30 && first <= 0x39);
    return answers ? readAnswer(cursor, make, state) : readCommand(cursor, make, state);
  },

  lost(state) {
    state.waiting = 0;
    state.securing = false;
  },
});

const NOTHING: Step = { kind: "nothing" };

function readCommand(cursor: Cursor, make: Make<F>, state: State): Step {
  const start = cursor.position;
  const line = cursor.line(LINE_BYTES_MAX);
  const verb = (/^[A-Za-z][A-Za-z0-9]{2,11}(?= |$)/.exec(line)?.[0] ?? "").toUpperCase();
  if (!state.proven && MAIL_VERBS.has(verb)) {
    cursor.rewind(start);
    return { kind: "switch", to: "smtp" };
  }
  const known = VERBS.has(verb);
  if (verb === "" || !(known || state.proven)) throw new Malformed("no such command");
  if (known) state.proven = true;
  const rest = SECRET.has(verb) ? "" : line.slice(verb.length).trim();
  state.waiting++;
  state.securing = verb === "AUTH";
  return make.request({
    type: verb,
    resource: rest,
    endpoint: verb,
    fields: {
      command: verb,
      ...(verb === "USER" && { user: rest }),
      ...(PATHS.has(verb) && rest !== "" && { path: rest }),
    },
  });
}

const PATHS = new Set([
  ...["APPE", "CWD", "DELE", "LIST", "MDTM", "MKD", "MLSD", "MLST", "NLST", "RETR", "RMD"],
  ...["RNFR", "RNTO", "SIZE", "STOR"],
]);

function readAnswer(cursor: Cursor, make: Make<F>, state: State): Step {
  const { code, text } = readReply(cursor);
  const fields = { status_code: code, reply: text };
  if (state.waiting === 0 && greets(code)) {
    return make.oneway({ type: "GREETING", code, status: statusOf(code), fields });
  }
  if (code < 200) return NOTHING;
  state.waiting = Math.max(0, state.waiting - 1);
  if (state.securing && code === 234) state.encrypted = true;
  state.securing = false;
  // 530 after a login and the like are the client's fault, as all of 5xx; 4xx the server's.
  return make.response({ code, status: statusOf(code), fields });
}

const NO: Claim = { kind: "no" };

/** Joined midway: what the other protocols with replies of three digits do not say. */
const JOINED_REPLY = new RegExp(
  "^(?:" + [
    "227 [^\\r\\n]*\\d+(?:,\\d+){5}",
    "229 [^\\r\\n]*\\(\\|\\|\\|\\d+\\|\\)",
    '257 "[^\\r\\n]*',
    "(?:150|226|250|230|331|530)[ -][^\\r\\n]*" +
    "\\b(?:data connection|transfer|directory|logged? ?[io]n|password|login)\\b",
  ].join("|") + ")",
  "i",
);
const JOINED_COMMAND = new RegExp(
  "^(?:" + [
    "PASV|EPSV(?: [12])?|SYST|TYPE [AIEL](?: [NTC8])?|PORT \\d+(?:,\\d+){5}",
    "PWD|XPWD|CDUP|(?:OPTS|CLNT|PBSZ|PROT|MLSD|MLST|STRU|EPRT|RNFR|MKD|SITE)(?: [^\\r\\n]+)?",
    "(?:RETR|STOR|CWD|DELE|SIZE|MDTM) [^\\r\\n]*[^\\d\\r\\n][^\\r\\n]*",
  ].join("|") + ")\\r?\\n$",
  "i",
);

/** Behind it comes nothing yet, or another command: "user" also begins sentences. */
const LOGIN = new RegExp(
  "^USER \\S+(?: \\S+)?\\r?\\n(?:$|(?:PASS|ACCT|AUTH|SYST|TYPE|PASV|EPSV|PORT|" +
    "X?PWD|CWD|FEAT|OPTS|CLNT|QUIT)\\b)",
  "i",
);

function probe(bytes: Uint8Array): Claim {
  if (firstWordBytes(bytes, 3) < 3) return NO;
  const text = latin1Of(bytes, 0, 128);
  if (/^220[ -][^\r\n]*\bFTP/i.test(text)) return { kind: "response", score: 90 };
  // SMTP may greet alike: what the client says decides. 220 and a number is NNTP.
  if (/^220[ -](?!\d+ <)[^\r\n]*\r?\n/.test(text)) return { kind: "response", score: 45 };
  // POP3 logs in alike, and claims as much: the commands behind it tell.
  if (LOGIN.test(text)) {
    const own = /\n(?:SYST|TYPE|PASV|EPSV|PORT|X?PWD|CWD|FEAT|OPTS|CLNT)\b/i.test(text);
    return { kind: "request", score: own ? 85 : 60 };
  }
  if (/^(?:FEAT|AUTH (?:TLS|SSL|GSSAPI))\r?\n$/i.test(text)) return { kind: "request", score: 75 };
  if (JOINED_REPLY.test(text)) return { kind: "response", score: 75 };
  return JOINED_COMMAND.test(text) ? { kind: "request", score: 75 } : NO;
}
