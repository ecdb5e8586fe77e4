// SPDX-License-Identifier: Apache-2.0
// DTLS: the hellos of a handshake are exchanges, fatal alerts are messages, data is passed over.
//
//   record   : type u8 (as in TLS) | version u16 (fe..) | epoch u16 | number u48 | length u16
//   handshake: type u8 (1 client hello, 2 server hello, 3 hello verify request) | length u24
//              | message u16 | offset u24, length u24 of the fragment | body
//
// A server may first ask for a cookie: then there are two hellos. What was lost is sent again, and
// told once. STUN and media may share the socket.

import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { ALERTS } from "./tls_alerts.ts";
import { type Hello, readHello } from "./tls_hello.ts";

const ALERT = 21, HANDSHAKE = 22;
const HEAD_BYTES = 13, HANDSHAKE_BYTES = 12;
const CLIENT_HELLO = 1, SERVER_HELLO = 2, VERIFY = 3;
/** After so many datagrams of nothing but data a socket is of no interest any more. */
const DULL_MAX = 256;
/** Hellos that are known to have been told. */
const TOLD_MAX = 256;

const FIELDS = {
  version: { type: "string", otel: "tls.protocol.version", doc: "version offered or chosen" },
  server_name: {
    type: "string",
    otel: "tls.client.server_name",
    doc: "server name indication",
  },
  next_protocol: {
    type: "string",
    otel: "tls.next_protocol",
    doc: "application protocol (ALPN)",
  },
  cipher: { type: "string", otel: "tls.cipher", doc: "cipher suite chosen" },
  alert: { type: "string", doc: "description of an alert" },
} as const;
type F = typeof FIELDS;

interface State {
  /** Message number and random of hellos. */
  readonly told: Set<string>;
  /** A client hello awaits its answer. */
  asked: boolean;
  /** Datagrams in a row that brought nothing of a handshake. */
  dull: number;
}

export const dtls = defineProtocol<F, State>({
  name: "dtls",
  spec: "https://www.rfc-editor.org/rfc/rfc6347",
  transports: ["udp"],
  fields: FIELDS,
  timeoutNs: 15_000_000_000n,
  pairing: "order",
  capture: "prefix",
  starts: byteSet([20, 23]),
  probe,
  open: () => ({ told: new Set(), asked: false, dull: 0 }),

  read(cursor, way, make, state) {
    const type = cursor.peek();
    if (type === HANDSHAKE) state.dull = 0;
    else if (++state.dull > DULL_MAX) return { kind: "switch", to: "data" };
    // Encrypted records of version 1.3, and what else uses the socket.
    if (type < 20 || type > 26) return passAll(cursor);
    cursor.skip(1);
    const version = cursor.u16();
    if (version >> 8 !== 0xfe) throw new Malformed("not a DTLS record");
    const epoch = cursor.u16();
    cursor.skip(6);
    const bytes = cursor.u16();
    if (epoch > 0 || (type !== HANDSHAKE && type !== ALERT)) {
      cursor.skip(bytes);
      return NOTHING;
    }
    cursor.enter(bytes);
    const step = type === ALERT
      ? readAlert(cursor, way, make, state)
      : readHandshake(cursor, make, state);
    cursor.leave();
    return step;
  },
});

const NOTHING: Step = { kind: "nothing" };

function passAll(cursor: Cursor): Step {
  cursor.skip(cursor.remaining);
  return NOTHING;
}

/** The first message of a record: a hello has a record of its own. */
function readHandshake(cursor: Cursor, make: Make<F>, state: State): Step {
  const type = cursor.u8();
  cursor.skip(3);
  const number = cursor.u16();
  const offset = cursor.u24();
  const bytes = cursor.u24();
  const end = cursor.position + Math.min(bytes, cursor.remaining);
  if (offset > 0 || type < CLIENT_HELLO || type > VERIFY) return NOTHING;
  const start = cursor.position;
  const random = type === VERIFY ? "" : cursor.bytes(34).toHex();
  cursor.rewind(start);
  let hello: Hello = { version: "", serverName: "", nextProtocol: "", cipher: "" };
  if (type !== VERIFY) {
    const from = type === CLIENT_HELLO ? "client" : "server";
    attempt(() => void (hello = readHello(cursor, from, end, true)));
    if (!isNew(`${type} ${number} ${random}`, state)) return NOTHING;
  }
  state.asked = type === CLIENT_HELLO;
  return tell(type, hello, make);
}

function isNew(key: string, { told }: State): boolean {
  if (told.has(key)) return false;
  if (told.size >= TOLD_MAX) told.delete(told.keys().next().value ?? key);
  told.add(key);
  return true;
}

function tell(type: number, hello: Hello, make: Make<F>): Step {
  const { version, serverName, nextProtocol, cipher } = hello;
  if (type === VERIFY) return make.response({ type: "HelloVerifyRequest" });
  const fields = {
    ...(version !== "" && { version }),
    ...(serverName !== "" && { server_name: serverName }),
    ...(nextProtocol !== "" && { next_protocol: nextProtocol }),
    ...(cipher !== "" && { cipher }),
  };
  if (type === SERVER_HELLO) return make.response({ type: "ServerHello", fields });
  return make.request({
    type: "ClientHello",
    resource: serverName,
    domain: serverName,
    endpoint: serverName,
    fields,
  });
}

/** Before the first key; later ones are encrypted. A fatal one of the server answers a hello. */
function readAlert(cursor: Cursor, way: Way, make: Make<F>, state: State): Step {
  const level = cursor.u8();
  const code = cursor.u8();
  const alert = ALERTS[code] ?? `alert ${code}`;
  const status = level === 1 ? "ok" : way === "toClient" ? "server_error" : "client_error";
  const draft = { type: "Alert", code, status, fields: { alert } } as const;
  if (way !== "toClient" || !state.asked) return make.oneway({ ...draft, endpoint: alert });
  state.asked = false;
  return make.response(draft);
}

const NO: Claim = { kind: "no" };

/** Records of the two versions that there are, as long as they say, one behind the other. */
function probe(bytes: Uint8Array, length: number): Claim {
  let at = 0;
  while (at + HEAD_BYTES <= bytes.length) {
    const [type = 0, high = 0, low = 0] = bytes.subarray(at, at + 3);
    if (type < 20 || type > 23 || high !== 0xfe || (low !== 0xff && low !== 0xfd)) return NO;
    at += HEAD_BYTES + ((bytes[at + 11] ?? 0) << 8 | (bytes[at + 12] ?? 0));
  }
  if (at === 0 || (at !== length && at < bytes.length) || at > length) return NO;
  const first = bytes[HEAD_BYTES] ?? 0;
  const plain = bytes[0] === HANDSHAKE && bytes[3] === 0 && bytes[4] === 0;
  if (!plain || length < HEAD_BYTES + HANDSHAKE_BYTES) return { kind: "either", score: 80 };
  if (first === CLIENT_HELLO) return { kind: "request", score: 97 };
  return { kind: first === SERVER_HELLO || first === VERIFY ? "response" : "either", score: 97 };
}
