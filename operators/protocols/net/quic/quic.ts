// SPDX-License-Identifier: Apache-2.0
// QUIC: the hellos of the handshake, which tell who is asked for and what is spoken. All else is
// encrypted.
//
//   long packet: flags u8 (80 long, 40 fixed, 30 type) | version u32 | destination <1> | source <1>
//                | Initial: token <number> | length number | packet number, encrypted
//   destination and source are the ids by which the ends know the connection
//
// Keys are made of the destination of the client's first Initial, which has 1,200 bytes or more.

import { byteSet } from "../../../wire/byte_set.ts";
import { attempt } from "../../../wire/attempt.ts";
import { Cursor } from "../../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Make,
  type Step,
  type Way,
} from "../../../wire/protocol.ts";
import { ALERTS } from "../tls/tls_alerts.ts";
import type { Hello } from "../tls/tls_hello.ts";
import { addCrypto, type Crypto, helloIn, newCrypto } from "./quic_crypto.ts";
import {
  decryptInitial,
  type Frames,
  readFrames,
  type Secrets,
  secretsOf,
  type Version,
  versionOf,
} from "./quic_initial.ts";

const ID_BYTES_MAX = 20;
/** The ids that clients choose for servers have so many bytes at least. */
const CHOSEN_BYTES = 8;
const IDS_BYTES_MIN = 4;
const FIRST_BYTES = 1_200;
/** After so many datagrams of nothing but data a socket is of no interest any more. */
const DULL_MAX = 64;
const TALKS_MAX = 128;
/** Codes of closes from here on are alerts of TLS. */
const CRYPTO_ERROR = 0x100;

const FIELDS = {
  version: { type: "string", otel: "network.protocol.version", doc: "version of QUIC" },
  tls_version: {
    type: "string",
    otel: "tls.protocol.version",
    doc: "version of TLS offered or chosen",
  },
  server_name: {
    type: "string",
    otel: "tls.client.server_name",
    doc: "server name indication",
  },
  next_protocol: {
    type: "string",
    otel: "tls.next_protocol",
    doc: "first application protocol offered (ALPN); h3 is HTTP/3",
  },
  cipher: { type: "string", otel: "tls.cipher", doc: "cipher suite chosen" },
  alert: { type: "string", doc: "why the server closed" },
} as const;
type F = typeof FIELDS;

/** A handshake under way. */
interface Talk {
  secrets: Secrets;
  readonly version: Version;
  /** null once the hello was told. */
  up: Crypto | null;
  down: Crypto | null;
}

interface State {
  /** By the id that the client chose for itself, which may be empty. */
  readonly talks: Map<string, Talk>;
  dull: number;
}

export const quic = defineProtocol<F, State>({
  name: "quic",
  spec: "https://www.rfc-editor.org/rfc/rfc9000",
  transports: ["udp"],
  fields: FIELDS,
  timeoutNs: 15_000_000_000n,
  pairing: "order",
  capture: "prefix",
  starts: byteSet([0xc0, 0xff]),
  probe,
  open: () => ({ talks: new Map(), dull: 0 }),

  read(cursor, way, make, state) {
    if ((cursor.peek() & 0xc0) !== 0xc0) {
      if (++state.dull > DULL_MAX) return { kind: "switch", to: "data" };
      return passAll(cursor);
    }
    state.dull = 0;
    const { buffer, at: start } = cursor;
    const flags = cursor.u8();
    const version = versionOf(cursor.u32() >>> 0);
    if (version === undefined) return passAll(cursor);
    const destination = cursor.bytes(cursor.u8()).slice();
    const source = cursor.bytes(cursor.u8()).toHex();
    const type = version.types.indexOf(flags >> 4 & 3);
    if (type === RETRY) {
      cursor.skip(cursor.remaining);
      return make.response({ type: "Retry", fields: { version: version.name } });
    }
    if (type === INITIAL) cursor.skip(readNumber(cursor));
    const bytes = readNumber(cursor);
    const numberAt = cursor.at - start;
    const packet = buffer.subarray(start, Math.min(cursor.at + bytes, cursor.at + cursor.captured));
    cursor.skip(Math.min(bytes, cursor.remaining));
    if (type !== INITIAL) return NOTHING;
    const own = way === "toClient" ? destination.toHex() : source;
    const talk = talkOf(state, own, version, destination, way);
    return talk === null
      ? NOTHING
      : readInitial({ packet, numberAt, bytes }, talk, destination, way, make);
  },
});

const INITIAL = 0, RETRY = 3;
const NOTHING: Step = { kind: "nothing" };

function passAll(cursor: Cursor): Step {
  cursor.skip(cursor.remaining);
  return NOTHING;
}

/** Two bits tell its size: 1, 2, 4 or 8 bytes. */
function readNumber(cursor: Cursor): number {
  const first = cursor.u8();
  let value = first & 0x3f;
  for (let left = (1 << (first >> 6)) - 1; left > 0; left--) value = value * 256 + cursor.u8();
  return value;
}

/** What is known of the handshake, or a new one where the client speaks. */
function talkOf(
  { talks }: State,
  own: string,
  version: Version,
  destination: Uint8Array,
  way: Way,
): Talk | null {
  const known = talks.get(own);
  if (known !== undefined) return known;
  if (way === "toClient") return null;
  if (talks.size >= TALKS_MAX) talks.delete(talks.keys().next().value ?? own);
  const talk: Talk = {
    secrets: secretsOf(version, destination),
    version,
    up: newCrypto(),
    down: newCrypto(),
  };
  talks.set(own, talk);
  return talk;
}

interface Packet {
  readonly packet: Uint8Array;
  readonly numberAt: number;
  readonly bytes: number;
}

function readInitial(
  packet: Packet,
  talk: Talk,
  destination: Uint8Array,
  way: Way,
  make: Make<F>,
): Step {
  const answers = way === "toClient";
  if ((answers ? talk.down : talk.up) === null && answers) return NOTHING;
  let frames = open(packet, talk, answers);
  if (frames === null && !answers) {
    // Another handshake of a client without an id, or the same one after a Retry.
    const secrets = secretsOf(talk.version, destination);
    frames = open(packet, { ...talk, secrets }, answers);
    if (frames === null) return NOTHING;
    Object.assign(talk, { secrets, up: newCrypto(), down: newCrypto() });
  }
  const crypto = answers ? talk.down : talk.up;
  if (frames === null || crypto === null) return NOTHING;
  for (const { offset, bytes } of frames.crypto) addCrypto(crypto, offset, bytes);
  const hello = helloIn(crypto, answers ? "server" : "client");
  if (hello !== null) {
    if (answers) talk.down = null;
    else talk.up = null;
    return answers ? answered(hello, talk, make) : asked(hello, talk, make);
  }
  return frames.close >= 0 && answers ? closed(frames.close, talk, make) : NOTHING;
}

function open({ packet, numberAt, bytes }: Packet, talk: Talk, answers: boolean): Frames | null {
  const keys = answers ? talk.secrets.toClient : talk.secrets.toServer;
  const text = decryptInitial(packet, numberAt, bytes, keys);
  return text === null ? null : readFrames(text);
}

function asked({ version, serverName, nextProtocol }: Hello, talk: Talk, make: Make<F>): Step {
  return make.request({
    type: "ClientHello",
    resource: serverName,
    domain: serverName,
    endpoint: serverName,
    fields: {
      version: talk.version.name,
      tls_version: version,
      ...(serverName !== "" && { server_name: serverName }),
      ...(nextProtocol !== "" && { next_protocol: nextProtocol }),
    },
  });
}

function answered({ version, cipher }: Hello, talk: Talk, make: Make<F>): Step {
  return make.response({
    type: "ServerHello",
    fields: { version: talk.version.name, tls_version: version, cipher },
  });
}

function closed(code: number, talk: Talk, make: Make<F>): Step {
  talk.down = null;
  const alert = ALERTS[code - CRYPTO_ERROR];
  return make.response({
    type: "ConnectionClose",
    code,
    status: code === 0 ? "ok" : "server_error",
    fields: { version: talk.version.name, ...(alert !== undefined && { alert }) },
  });
}

const NO: Claim = { kind: "no" };

/** A long packet of a version that there is, with ids as long as they may be. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 24 || ((bytes[0] ?? 0) & 0xc0) !== 0xc0) return NO;
  const number = ((bytes[1] ?? 0) << 24 | (bytes[2] ?? 0) << 16 | (bytes[3] ?? 0) << 8 |
    (bytes[4] ?? 0)) >>> 0;
  const version = versionOf(number);
  const chosen = bytes[5] ?? 255;
  const source = bytes[6 + chosen] ?? 255;
  if (version === undefined || chosen > ID_BYTES_MAX || source > ID_BYTES_MAX) return NO;
  // One end may do without an id, and the other's is none that would soon be another's as well.
  if (chosen + source < IDS_BYTES_MIN) return NO;
  const type = version.types.indexOf((bytes[0] ?? 0) >> 4 & 3);
  if (type !== RETRY && !fits(bytes, 7 + chosen + source, type === INITIAL, length)) return NO;
  if (type !== INITIAL) return { kind: "either", score: 85 };
  return {
    kind: chosen >= CHOSEN_BYTES && length >= FIRST_BYTES ? "request" : "response",
    score: 95,
  };
}

/** The packet, as long as it says, has a number and a tag, and lies within the datagram. */
function fits(bytes: Uint8Array, start: number, hasToken: boolean, length: number): boolean {
  const cursor = new Cursor();
  cursor.reset(bytes, start, bytes.length, bytes.length);
  let whole = false;
  cursor.enter(Math.max(0, bytes.length - start));
  attempt(() => {
    if (hasToken) cursor.skip(readNumber(cursor));
    const size = readNumber(cursor);
    whole = size > 20 && start + cursor.position + size <= length;
  });
  return whole;
}
