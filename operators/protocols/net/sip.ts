// SPDX-License-Identifier: Apache-2.0
// SIP 2.0.
//
//   request : METHOD uri SIP/2.0 CRLF name: value CRLF … CRLF body
//   response: SIP/2.0 code reason CRLF name: value CRLF … CRLF body
//
// Call and sequence pair a response with its request. Provisional responses (1xx) are none; ACK is
// one-way. Names of headers have short forms.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";
import { firstWordBytes } from "../mail/first_word.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 8_192;
const HEADERS_MAX = 256;
const BODY_BYTES_MAX = 1 << 24;
/** What is shorter only keeps a path through a firewall open. */
const MESSAGE_BYTES_MIN = 16;

const FIELDS = {
  method: { type: "string", doc: "method" },
  uri: { type: "string", otel: "url.full", doc: "URI of the request, without parameters" },
  call_id: { type: "string", doc: "Call-ID" },
  sequence: { type: "string", doc: "CSeq: number and method" },
  caller: { type: "string", doc: "address of From" },
  callee: { type: "string", doc: "address of To" },
  user_agent: { type: "string", otel: "user_agent.original", doc: "User-Agent or Server" },
  status_code: { type: "number", doc: "status code" },
  reason: { type: "string", doc: "reason phrase" },
} as const;
type F = typeof FIELDS;

const METHODS = new Set([
  ...["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY"],
  ...["PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE"],
]);

interface State {
  readonly tails: Tails;
  readonly datagrams: boolean;
}

export const sip = defineProtocol<F, State>({
  name: "sip",
  spec: "https://www.rfc-editor.org/rfc/rfc3261",
  transports: ["udp", "tcp"],
  fields: FIELDS,
  timeoutNs: 180_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("IABCORPSNMU"),
  words: [...METHODS, "SIP/2.0"],
  probe,
  open: (transport) => ({ tails: noTails(), datagrams: transport === "udp" }),

  read(cursor, way, make, state) {
    const passing = passTail(cursor, way, state.tails);
    if (passing !== null) return passing;
    if (cursor.peek() === 0x0d || cursor.peek() === 0x0a) {
      // Pings that keep a connection open.
      cursor.skip(1);
      return NOTHING;
    }
    if (state.datagrams && cursor.remaining < MESSAGE_BYTES_MIN) {
      cursor.skip(cursor.remaining);
      return NOTHING;
    }
    const line = cursor.line(LINE_BYTES_MAX);
    const headers = readHeaders(cursor);
    if (headers.length > BODY_BYTES_MAX) throw new Malformed("body too long");
    if (state.datagrams) cursor.skip(cursor.remaining);
    const more = !state.datagrams && headers.length > 0;
    const step = tell(line, headers, more, make);
    if (!more) return step;
    if (step.kind === "nothing") return { kind: "skip", bytes: headers.length };
    keepTail(state.tails, way, step, headers.length);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

const NOTHING: Step = { kind: "nothing" };

interface Headers {
  callId: string;
  sequence: string;
  caller: string;
  callee: string;
  userAgent: string;
  length: number;
}

function readHeaders(cursor: Cursor): Headers {
  const headers: Headers = {
    callId: "",
    sequence: "",
    caller: "",
    callee: "",
    userAgent: "",
    length: 0,
  };
  for (let count = 0; count < HEADERS_MAX; count++) {
    const line = cursor.line(LINE_BYTES_MAX);
    if (line === "") return headers;
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).trim().toLowerCase()) {
      case "call-id":
      case "i":
        headers.callId = value;
        break;
      case "cseq":
        headers.sequence = value.replace(/\s+/g, " ");
        break;
      case "from":
      case "f":
        headers.caller = addressOf(value);
        break;
      case "to":
      case "t":
        headers.callee = addressOf(value);
        break;
      case "user-agent":
      case "server":
        headers.userAgent = value;
        break;
      case "content-length":
      case "l":
        headers.length = /^\d{1,9}$/.test(value) ? Number(value) : 0;
    }
  }
  throw new Malformed("too many headers");
}

/** `"Anna" <sip:anna@host;x>;tag=…` or `sip:anna@host;tag=…`, without name and parameters */
const addressOf = (text: string): string =>
  (/<([^>;]*)/.exec(text)?.[1] ?? text.split(";", 1)[0] ?? "").trim();

function tell(line: string, headers: Headers, more: boolean, make: Make<F>): Step {
  const { callId, sequence, caller, callee, userAgent } = headers;
  if (callId === "" || sequence === "") throw new Malformed("no call and sequence");
  const id = `${callId} ${sequence}`;
  const fields = {
    call_id: callId,
    sequence,
    caller,
    callee,
    ...(userAgent !== "" && { user_agent: userAgent }),
  };
  const answer = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(line);
  if (answer !== null) {
    const code = Number(answer[1]);
    if (code < 200) return NOTHING;
    return make.response({
      code,
      status: code < 400 ? "ok" : code < 500 || code >= 600 ? "client_error" : "server_error",
      id,
      more,
      fields: { ...fields, status_code: code, reason: answer[2] ?? "" },
    });
  }
  const [method = "", target = "", version] = line.split(" ");
  if (!METHODS.has(method) || version !== "SIP/2.0") throw new Malformed("no request line");
  const uri = target.split(";", 1)[0] ?? "";
  const draft = {
    type: method,
    resource: uri,
    domain: uri.replace(/^sips?:(?:[^@]*@)?/, "").replace(/:\d+$/, ""),
    endpoint: method,
    id,
    more,
    fields: { method, uri, ...fields },
  };
  return method === "ACK" ? make.oneway(draft) : make.request(draft);
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array): Claim {
  const word = firstWordBytes(bytes, 10);
  const next = bytes[word + 1] ?? 0;
  if (word < 3 || (bytes[word] === 0x20 && !"stu".includes(String.fromCharCode(next)))) return NO;
  const text = latin1Of(bytes, 0, 256);
  if (/^SIP\/2\.0 [1-6]\d\d[ \r]/.test(text)) return { kind: "response", score: 98 };
  const method = /^([A-Z]+) (?:sips?|tel|urn):[^ \r\n]+ SIP\/2\.0\r?\n/.exec(text)?.[1] ?? "";
  return METHODS.has(method) ? { kind: "request", score: 98 } : NO;
}
