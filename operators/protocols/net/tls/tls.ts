// SPDX-License-Identifier: Apache-2.0
// TLS: the handshake is an exchange, alerts are messages, what is encrypted is counted only.
//
//   record   : type u8 (20 change cipher, 21 alert, 22 handshake, 23 data) | version u16
//              | length u16
//   handshake: type u8 (1 client hello, 2 server hello, 11 certificate, 14 done)
//              | length u24 | body
//   alert    : level u8 (1 warning, 2 fatal) | description u8

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
import { certificateExpiry, type Hello, readHello } from "./tls_hello.ts";

const CHANGE_CIPHER = 20, ALERT = 21, HANDSHAKE = 22;
const RECORD_BYTES_MAX = 16_384 + 2_048;

const FIELDS = {
  version: {
    type: "string",
    otel: "tls.protocol.version",
    doc: "version offered or chosen",
  },
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
  not_after: {
    type: "string",
    otel: "tls.server.not_after",
    doc: "when the server's certificate expires; not visible in TLS 1.3",
  },
  alert: { type: "string", doc: "description of an alert" },
} as const;
type F = typeof FIELDS;

/** Messages by which the flight of an end after the hellos may begin; others are encrypted. */
const MESSAGES: Readonly<Record<number, string>> = {
  0: "HelloRequest",
  4: "NewSessionTicket",
  11: "Certificate",
  12: "ServerKeyExchange",
  13: "CertificateRequest",
  14: "ServerHelloDone",
  15: "CertificateVerify",
  16: "ClientKeyExchange",
  22: "CertificateStatus",
};

interface State {
  /** Later flights of a handshake are told, too. */
  readonly every: boolean;
  /** Who sent the last record of the handshake: another end begins another flight. */
  flight: Way;
  /** A client hello awaits its server hello. */
  asked: boolean;
  /** The server's answer goes on until ServerHelloDone. */
  answering: boolean;
  expiry: string;
}

export const tls = defineProtocol<F, State>({
  name: "tls",
  spec: "https://www.rfc-editor.org/rfc/rfc8446",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 15_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet([20, 23]),
  probe,
  open: (_transport, options) => ({
    every: options?.every === true,
    flight: "unknown",
    asked: false,
    answering: false,
    expiry: "",
  }),

  read(cursor, way, make, state) {
    const type = cursor.u8();
    const version = cursor.u16();
    const bytes = cursor.u16();
    if (type < 20 || type > 24 || version >> 8 !== 3 || bytes > RECORD_BYTES_MAX) {
      throw new Malformed("not a TLS record");
    }
    if (type === HANDSHAKE) return readHandshake(cursor, bytes, way, make, state);
    if (type === ALERT && bytes === 2) return readAlert(cursor, way === "toClient", make, state);
    if (type === ALERT) return sealedAlert(cursor, bytes, make);
    if (way === "toClient" && state.answering) {
      state.answering = false;
      cursor.skip(bytes);
      return { kind: "end", fields: {} };
    }
    if (type === CHANGE_CIPHER) {
      cursor.skip(bytes);
      return laterFlight("ChangeCipherSpec", way, make, state);
    }
    state.flight = "unknown";
    return bytes === 0 ? NOTHING : { kind: "skip", bytes };
  },

  lost(state, way) {
    if (way === "toClient") state.answering = false;
  },
});

const NOTHING: Step = { kind: "nothing" };

/** The first record of a flight that is not that of a hello. */
function laterFlight(type: string, way: Way, make: Make<F>, state: State): Step {
  const begins = state.flight !== way;
  state.flight = way;
  return begins && state.every ? make.oneway({ type, endpoint: type }) : NOTHING;
}

/** All messages of one handshake record; those that are encrypted have no type that exists. */
function readHandshake(
  cursor: Cursor,
  bytes: number,
  way: Way,
  make: Make<F>,
  state: State,
): Step {
  cursor.enter(bytes);
  const name = MESSAGES[cursor.peekOr(0)] ?? "EncryptedHandshake";
  const recordEnd = cursor.position + bytes;
  let client: Hello | null = null;
  let server: Hello | null = null;
  let done = false;
  while (cursor.position + 4 <= recordEnd && cursor.captured >= 4) {
    const type = cursor.u8();
    const end = cursor.u24() + cursor.position;
    if (type === 1 && end <= recordEnd) client = readHello(cursor, "client", end);
    else if (type === 2 && end <= recordEnd) server = readHello(cursor, "server", end);
    else if (type === 11 && state.expiry === "") {
      const shown = Math.min(end, recordEnd) - cursor.position;
      state.expiry = certificateExpiry(cursor.bytes(Math.min(shown, cursor.captured, 4_096)));
    } else if (type === 14) done = true;
    if (end > recordEnd) break;
    cursor.rewind(end);
  }
  cursor.leave();
  if (client !== null || server !== null) state.flight = way;
  if (client !== null) return askedBy(client, make, state);
  if (server !== null) return answeredBy(server, done, make, state);
  if (!done || !state.answering) return laterFlight(name, way, make, state);
  state.answering = false;
  return { kind: "end", fields: expiryField(state) };
}

const expiryField = (state: State) => state.expiry === "" ? {} : { not_after: state.expiry };

function askedBy(hello: Hello, make: Make<F>, state: State): Step {
  state.asked = true;
  return make.request({
    type: "ClientHello",
    resource: hello.serverName,
    domain: hello.serverName,
    endpoint: hello.serverName,
    fields: {
      version: hello.version,
      ...(hello.serverName !== "" && { server_name: hello.serverName }),
      ...(hello.nextProtocol !== "" && { next_protocol: hello.nextProtocol }),
    },
  });
}

function answeredBy(hello: Hello, done: boolean, make: Make<F>, state: State): Step {
  state.asked = false;
  state.answering = !done && hello.version !== "1.3";
  return make.response({
    type: "ServerHello",
    more: state.answering,
    fields: {
      version: hello.version,
      cipher: hello.cipher,
      ...(hello.nextProtocol !== "" && { next_protocol: hello.nextProtocol }),
      ...expiryField(state),
    },
  });
}

/** A fatal alert of the server answers a client hello; any other stands alone. */
function readAlert(cursor: Cursor, fromServer: boolean, make: Make<F>, state: State): Step {
  const level = cursor.u8();
  const code = cursor.u8();
  if (level !== 1 && level !== 2) throw new Malformed("no such alert level");
  const alert = ALERTS[code] ?? `alert ${code}`;
  const status = level === 1 ? "ok" : fromServer ? "server_error" : "client_error";
  const draft = { type: "Alert", code, status, fields: { alert: alert } } as const;
  if (!fromServer || !state.asked) return make.oneway({ ...draft, endpoint: alert });
  state.asked = false;
  return make.response(draft);
}

/** Behind the handshake alerts are encrypted up to TLS 1.2, and look like data in TLS 1.3. */
function sealedAlert(cursor: Cursor, bytes: number, make: Make<F>): Step {
  cursor.skip(bytes);
  return make.oneway({ type: "EncryptedAlert", endpoint: "EncryptedAlert", status: "unknown" });
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 6) return length < 6 ? { kind: "maybe" } : NO;
  const [type = 0, major = 0, minor = 0, high = 0, low = 0, first = 0] = bytes;
  const size = high << 8 | low;
  if (major !== 3 || minor > 4 || size === 0 || size > RECORD_BYTES_MAX) return NO;
  if (type === HANDSHAKE && first === 1) return { kind: "request", score: 98 };
  if (type === HANDSHAKE && first === 2) return { kind: "response", score: 98 };
  if (type === ALERT && (size === 2 ? first <= 2 : size >= 16)) {
    return { kind: "either", score: 70 };
  }
  if (type === HANDSHAKE && size >= 32) return { kind: "either", score: 70 };
  if (type === 20 && size === 1 && first === 1) return { kind: "either", score: 80 };
  // Joined midway: application data, whole records one after another.
  return type === 23 && size >= 17 && wholeRecords(bytes, length)
    ? { kind: "either", score: 75 }
    : NO;
}

function wholeRecords(bytes: Uint8Array, length: number): boolean {
  let at = 0;
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== 23 || bytes[at + 1] !== 3) return false;
    at += 5 + ((bytes[at + 3] ?? 0) << 8 | (bytes[at + 4] ?? 0));
  }
  return at === length || at > bytes.length;
}
