// SPDX-License-Identifier: Apache-2.0
// ZMTP 2 and 3, the protocol of ZeroMQ.
//
//   greeting: ff … 7f (10 bytes) | major u8 | minor u8 | mechanism, 20 bytes | as server u8
//             | 31 zeros
//             version 2: ff … 7f | 1 | socket u8, and behind it a frame with the identity
//   frame   : flags u8 (1 more frames, 2 long, 4 command) | size u8 or u64 | body
//   command : length u8, name | data          property: length u8, name | length u32, value
//
// What a message means depends on the sender's socket: REQ asks, REP answers, PUB and XPUB put the
// topic into the first frame, SUB and XSUB ask for topics; all others send one-way.

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
  type Way,
} from "../../wire/protocol.ts";
import { latin1Of } from "../../wire/text.ts";

const GREETING_BYTES = 64;
const MORE = 1, LONG = 2, COMMAND = 4;
const COMMAND_BYTES_MAX = 65_536;
/** A first frame up to this size is read; longer ones are no topics. */
const FIRST_BYTES_MAX = 512;

const FIELDS = {
  socket_type: { type: "string", doc: "socket of the sender: REQ, REP, PUB, SUB …" },
  topic: { type: "string", otel: "messaging.destination.name", doc: "topic or subscription" },
  identity: { type: "string", otel: "messaging.client.id", doc: "identity of the socket" },
  version: { type: "string", otel: "network.protocol.version", doc: "version of the greeting" },
  mechanism: { type: "string", doc: "security mechanism" },
  body_size: {
    type: "number",
    otel: "messaging.message.body.size",
    doc: "bytes of the first frame",
  },
  error_message: { type: "string", doc: "reason of ERROR" },
} as const;
type F = typeof FIELDS;

interface Lane {
  socket: string;
  /** Bytes of a frame still to pass, and whether another frame of the message follows it. */
  tail: number;
  more: boolean;
  /** A message was told whose frames have not all passed. */
  open: boolean;
  /** The next frame is the identity of a socket of version 2. */
  naming: boolean;
}

type State = Record<Way, Lane>;
const newLane = (): Lane => ({ socket: "", tail: 0, more: false, open: false, naming: false });

export const zmtp = defineProtocol<F, State>({
  name: "zmtp",
  spec: "https://rfc.zeromq.org/spec/37/",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet([0, 4], 6, 0xff),
  probe,
  open: () => ({ toServer: newLane(), toClient: newLane(), unknown: newLane() }),

  read(cursor, way, make, state) {
    const lane = state[way];
    if (lane.tail > 0) return readTail(cursor, lane);
    const flags = cursor.peek();
    if (flags === 0xff) return readGreeting(cursor, lane, make);
    if (flags > 7) throw new Malformed("no such flags");
    cursor.skip(1);
    const size = (flags & LONG) !== 0 ? Number(cursor.u64()) : cursor.u8();
    if (size > Number.MAX_SAFE_INTEGER) throw new Malformed("frame too long");
    if (lane.naming) return readIdentity(cursor, flags, size, lane);
    if (lane.open) return readNext(flags, size, lane);
    if ((flags & COMMAND) !== 0) return readCommand(cursor, size, lane, make);
    return readMessage(cursor, flags, size, way, state, make);
  },

  lost(state, way) {
    const lane = state[way];
    lane.tail = 0;
    lane.open = false;
  },
});

const NOTHING: Step = { kind: "nothing" };

/** The body of a frame; the last byte of the last frame ends the message. */
function readTail(cursor: Cursor, lane: Lane): Step {
  if (lane.more || lane.tail > 1) {
    const bytes = lane.more ? lane.tail : lane.tail - 1;
    lane.tail -= bytes;
    return { kind: "skip", bytes };
  }
  cursor.skip(1);
  lane.tail = 0;
  lane.open = false;
  return { kind: "end" };
}

/** A further frame of the message in progress. */
function readNext(flags: number, size: number, lane: Lane): Step {
  lane.more = (flags & MORE) !== 0;
  lane.tail = size;
  if (size > 0 || lane.more) return NOTHING;
  lane.open = false;
  return { kind: "end" };
}

/** Sockets as version 2 numbers them. */
const SOCKETS = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"];

function readGreeting(cursor: Cursor, lane: Lane, make: Make<F>): Step {
  cursor.skip(9);
  if (cursor.u8() !== 0x7f) throw new Malformed("not a greeting");
  const major = cursor.u8();
  if (major < 3) {
    const socket = SOCKETS[cursor.u8()];
    if (socket === undefined) throw new Malformed("no such socket");
    lane.socket = socket;
    lane.naming = true;
    return make.oneway({ type: "GREETING", fields: { version: "2.0", socket_type: socket } });
  }
  cursor.need(GREETING_BYTES - 11);
  const version = `${major}.${cursor.u8()}`;
  const mechanism = cursor.latin1(20).replace(/\0.*$/s, "");
  // NULL, PLAIN, CURVE …; the bytes of others may hold anything.
  if (!/^[A-Z0-9\-_.+]*$/.test(mechanism)) throw new Malformed("no name of a mechanism");
  cursor.skip(32);
  return make.oneway({ type: "GREETING", fields: { version, mechanism } });
}

function readIdentity(cursor: Cursor, flags: number, size: number, lane: Lane): Step {
  if (flags !== 0) throw new Malformed("no identity");
  cursor.skip(size);
  lane.naming = false;
  return NOTHING;
}

function readCommand(cursor: Cursor, size: number, lane: Lane, make: Make<F>): Step {
  if (size > COMMAND_BYTES_MAX) throw new Malformed("command too long");
  cursor.enter(size);
  const name = nameOf(cursor);
  if (!/^[A-Z]{2,16}$/.test(name)) throw new Malformed("no name of a command");
  const draft = commandOf(cursor, name);
  cursor.leave();
  const socket = draft.fields?.socket_type;
  if (socket !== undefined) lane.socket = socket;
  return make.oneway(draft);
}

/** libzmq writes ERROR as 5e "RROR": an escape of its source that reads "\x5E" for 5 and "E". */
function nameOf(cursor: Cursor): string {
  if (cursor.peek() !== 0x5e) return cursor.latin1(cursor.u8());
  cursor.skip(1);
  return `E${cursor.latin1(4)}`;
}

/** HELLO has user and password in it, and is not read. */
function commandOf(cursor: Cursor, name: string): Draft<F> {
  switch (name) {
    case "READY":
    case "INITIATE":
      return { type: name, fields: properties(cursor) };
    case "ERROR": {
      const reason = cursor.text(cursor.u8());
      return { type: name, status: "server_error", fields: { error_message: reason } };
    }
    case "SUBSCRIBE":
    case "CANCEL":
      return topicDraft(name, cursor.text(cursor.remaining));
    default:
      return { type: name };
  }
}

const topicDraft = (type: string, topic: string): Draft<F> => ({
  type,
  resource: topic,
  endpoint: topic,
  fields: { topic },
});

function properties(cursor: Cursor): { socket_type?: string; identity?: string } {
  let socket = "", identity = "";
  while (cursor.captured > 0) {
    const name = cursor.latin1(cursor.u8()).toLowerCase();
    const value = cursor.text(cursor.u32());
    if (name === "socket-type") socket = value;
    else if (name === "identity") identity = value;
  }
  return { ...(socket !== "" && { socket_type: socket }), ...(identity !== "" && { identity }) };
}

function readMessage(
  cursor: Cursor,
  flags: number,
  size: number,
  way: Way,
  state: State,
  make: Make<F>,
): Step {
  const lane = state[way];
  const first = size <= FIRST_BYTES_MAX ? cursor.bytes(size) : null;
  lane.more = (flags & MORE) !== 0;
  lane.tail = first === null ? size : 0;
  lane.open = lane.more || lane.tail > 0;
  const { socket } = lane;
  const base = {
    more: lane.open,
    fields: { body_size: size, ...(socket !== "" && { socket_type: socket }) },
  };
  const topic = first === null ? "" : topicOf(first, socket);
  if (socket === "REQ") return make.request({ type: "MESSAGE", ...base });
  if (socket === "REP") return make.response({ type: "MESSAGE", ...base });
  const sub = socket === "SUB" || socket === "XSUB";
  const subscribes = sub && first !== null && (first[0] ?? 9) <= 1;
  if (topic === "") return make.oneway({ type: "MESSAGE", ...base });
  return make.oneway({
    ...topicDraft(!subscribes ? "MESSAGE" : first[0] === 1 ? "SUBSCRIBE" : "CANCEL", topic),
    more: base.more,
    fields: { ...base.fields, topic },
  });
}

/** The first frame of a publisher; of a subscriber, what follows the byte that says which. */
function topicOf(first: Uint8Array, socket: string): string {
  const publishes = socket === "PUB" || socket === "XPUB";
  if (!publishes && socket !== "SUB" && socket !== "XSUB") return "";
  const text = String.fromCharCode(...(publishes ? first : first.subarray(1)));
  return /^[\x20-\x7e]{1,256}$/.test(text) ? text : "";
}

const NO: Claim = { kind: "no" };

/** The signature: ff, a length that old versions read (0 or 1), 7f. Midway, a walk over frames. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] !== 0xff) return bytes.length === length ? probeFrames(bytes) : NO;
  for (let at = 1; at < Math.min(8, bytes.length); at++) if (bytes[at] !== 0) return NO;
  if (length < 10) return { kind: "maybe" };
  if (bytes[9] !== 0x7f || (bytes[8] ?? 9) > 1) return NO;
  const [version = 3, socket = 0] = bytes.subarray(10, 12);
  return version >= 3 || (version > 0 && socket < SOCKETS.length)
    ? { kind: "either", score: 96 }
    : NO;
}

/**
 * Frames that end where the bytes do: a command by its name; a request or an answer, which begins
 * with an empty frame; or messages that are all of as many frames, two at least, as publishers and
 * their like send them.
 */
function probeFrames(bytes: Uint8Array): Claim {
  let at = 0, frames = 0, messages = 0, parts = 0, named = false, more = false, alike = true;
  while (at + 2 <= bytes.length) {
    const flags = bytes[at] ?? 0xff;
    const long = (flags & LONG) !== 0;
    const command = (flags & COMMAND) !== 0;
    if (flags > 6 || flags === 5 || (command && more)) return NO;
    const head = long ? 9 : 2;
    const size = long ? longSize(bytes, at + 1) : bytes[at + 1] ?? 0;
    if (size < 0) return NO;
    if (command) {
      if (!/^[A-Z]{2,16}$/.test(latin1Of(bytes, at + head + 1, commandEnd(bytes, at + head)))) {
        return NO;
      }
      named = true;
    }
    more = (flags & MORE) !== 0;
    frames++;
    if (!more) {
      if (messages > 0 && frames !== parts) alike = false;
      parts = frames;
      frames = 0;
      messages++;
    }
    at += head + size;
  }
  if (at !== bytes.length || more) return NO;
  if (named) return { kind: "either", score: 75 };
  if (bytes[0] === MORE && bytes[1] === 0 && bytes.length > 4) return { kind: "either", score: 60 };
  return alike && parts > 1 && messages > 1 ? { kind: "either", score: 45 } : NO;
}

/** Where the name at `start`, whose length stands before it, ends. */
const commandEnd = (bytes: Uint8Array, start: number): number => start + 1 + (bytes[start] ?? 0);

/** A size of 64 bits, -1 where it is more than a frame has or less than a short one. */
function longSize(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 4; i++) if (bytes[at + i] !== 0) return -1;
  const size = (bytes[at + 4] ?? 0) * 2 ** 24 + (bytes[at + 5] ?? 0) * 2 ** 16 +
    (bytes[at + 6] ?? 0) * 256 + (bytes[at + 7] ?? 0);
  return size > 255 ? size : -1;
}
