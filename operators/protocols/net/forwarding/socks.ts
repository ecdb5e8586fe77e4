// SPDX-License-Identifier: Apache-2.0
// SOCKS 4, 4a and 5: a client asks a proxy to connect it; then both ends speak another protocol.
//
//   5 client: 5 | methods u8, as many u8        server: 5 | method u8
//     login : 1 | user u8, text | password u8, text      server: 1 | status u8
//     client: 5 | command u8 | 0 | address | port u16    server: 5 | code u8 | 0 | address | port
//     address: 1, 4 bytes; 3, u8 and a name; 4, 16 bytes
//   4 client: 4 | command u8 | port u16 | 4 bytes | user NUL [name NUL]
//     server: 0 | code u8 | port u16 | 4 bytes
//
// What a login consists of is not read.

import type { Status } from "../../../../model/status.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { formatIpv6 } from "../ipv6_text.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../../wire/protocol.ts";

const FIELDS = {
  command: { type: "string", doc: "CONNECT, BIND or UDP_ASSOCIATE" },
  host: { type: "string", otel: "server.address", doc: "whom the client wants to reach" },
  port: { type: "number", otel: "server.port", doc: "port there" },
  version: { type: "string", otel: "network.protocol.version", doc: "4, 4a or 5" },
} as const;
type F = typeof FIELDS;

const COMMANDS: Readonly<Record<number, string>> = { 1: "CONNECT", 2: "BIND", 3: "UDP_ASSOCIATE" };
const NO_METHOD = 0xff, GRANTED_4 = 90;
const IPV4 = 1, NAME = 3, IPV6 = 4;
const NAME_BYTES_MAX = 255;

interface State {
  greeted: boolean;
  /** Of version 5 the server has chosen a method. */
  chosen: boolean;
  asked: 0 | 4 | 5;
  open: boolean;
}

export const socks = defineProtocol<F, State>({
  name: "socks",
  spec: "https://www.rfc-editor.org/rfc/rfc1928",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "prefix",
  starts: byteSet(4, 5),
  probe,
  open: () => ({ greeted: false, chosen: false, asked: 0, open: false }),

  read(cursor, way, make, state) {
    if (state.open) return { kind: "switch", to: "" };
    return way === "toClient" ? readAnswer(cursor, make, state) : readRequest(cursor, make, state);
  },
});

const NOTHING: Step = { kind: "nothing" };

function readRequest(cursor: Cursor, make: Make<F>, state: State): Step {
  const version = cursor.u8();
  if (version === 4) return readRequest4(cursor, make, state);
  if (version === 1 && state.greeted) {
    cursor.skip(cursor.u8());
    cursor.skip(cursor.u8());
    return NOTHING;
  }
  if (version !== 5) throw new Malformed("no such version");
  if (!state.greeted) {
    cursor.skip(cursor.u8());
    state.greeted = true;
    return NOTHING;
  }
  const command = COMMANDS[cursor.u8()];
  cursor.skip(1);
  const host = readAddress(cursor);
  const port = cursor.u16();
  if (command === undefined) throw new Malformed("no such command");
  state.asked = 5;
  return ask({ command, host, port, version: "5" }, make);
}

/** An address that begins with three zeros says that a name follows the user (4a). */
function readRequest4(cursor: Cursor, make: Make<F>, state: State): Step {
  const command = COMMANDS[cursor.u8()];
  const port = cursor.u16();
  const address = cursor.bytes(4);
  const named = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0;
  const ip = address.join(".");
  if (cursor.find(0) > NAME_BYTES_MAX) throw new Malformed("user too long");
  cursor.cstring();
  const host = named ? cursor.cstring() : ip;
  if (command === undefined || host.length > NAME_BYTES_MAX) throw new Malformed("no command");
  state.asked = 4;
  return ask({ command, host, port, version: named ? "4a" : "4" }, make);
}

interface Wish {
  readonly command: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
}

const ask = (wish: Wish, make: Make<F>): Step =>
  make.request({
    type: wish.command,
    resource: `${wish.host}:${wish.port}`,
    domain: wish.host,
    endpoint: wish.command,
    fields: { ...wish },
  });

function readAddress(cursor: Cursor): string {
  switch (cursor.u8()) {
    case IPV4:
      return cursor.bytes(4).join(".");
    case NAME:
      return cursor.text(cursor.u8());
    case IPV6:
      return `[${formatIpv6(cursor.bytes(16))}]`;
    default:
      throw new Malformed("no such kind of address");
  }
}

function readAnswer(cursor: Cursor, make: Make<F>, state: State): Step {
  const version = cursor.u8();
  if (state.asked === 4) {
    const code = cursor.u8();
    cursor.skip(6);
    if (version !== 0) throw new Malformed("no reply");
    state.open = code === GRANTED_4;
    return make.response({ code, status: code === GRANTED_4 ? "ok" : "server_error" });
  }
  const code = cursor.u8();
  if (version === 1) return NOTHING;
  if (version !== 5) throw new Malformed("no such version");
  if (!state.chosen) {
    if (code === NO_METHOD) return make.response({ code, status: "client_error" });
    state.chosen = true;
    return NOTHING;
  }
  cursor.skip(1);
  readAddress(cursor);
  cursor.skip(2);
  state.open = code === 0;
  return make.response({ code, status: statusOf(code) });
}

/** 2 not allowed, 7 no such command, 8 no such kind of address: the client's. */
function statusOf(code: number): Status {
  if (code === 0) return "ok";
  return code === 2 || code === 7 || code === 8 ? "client_error" : "server_error";
}

const NO: Claim = { kind: "no" };

/** Nothing but methods that exist; or a command, and texts that end where the bytes do. */
function probe(bytes: Uint8Array, length: number): Claim {
  const second = bytes[1] ?? 0;
  if (bytes[0] === 5) {
    if (length < 3) return length === 1 || second > 0 ? { kind: "maybe" } : NO;
    const known = bytes.subarray(2).every((method) => method < 10 || method >= 0x80);
    return length === 2 + second && second <= 16 && known ? { kind: "request", score: 82 } : NO;
  }
  if (second !== 1 && second !== 2) return NO;
  if (length < 9 || bytes.length < length || bytes[length - 1] !== 0) return NO;
  const named = bytes[4] === 0 && bytes[5] === 0 && bytes[6] === 0;
  const texts = bytes.subarray(8, length - 1);
  const ends = texts.filter((byte) => byte === 0).length;
  const plain = texts.every((byte) => byte === 0 || (byte > 0x20 && byte < 0x7f));
  const whole = named ? ends === 1 && bytes[7] !== 0 : ends === 0 && bytes[4] !== 0;
  return plain && whole ? { kind: "request", score: 81 } : NO;
}
