// SPDX-License-Identifier: Apache-2.0
// HTTP/2, and gRPC over it.
//
//   preface (client first): PRI * HTTP/2.0 CRLF CRLF SM CRLF CRLF
//   frame: length u24 | type u8 | flags u8 | stream u32 (31 bits) | payload
//
// Streams interleave, so every message says its stream and counts its own bytes, frame headers
// included. A message is known by its HEADERS and ends with END_STREAM or RST_STREAM.

import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { HpackDecoder } from "./hpack.ts";
import { defineProtocol, type Make, type Step } from "../../../wire/protocol.ts";
import { countGrpcMessages } from "./grpc_messages.ts";
import { scanOf } from "../http/http_scan.ts";
import { canLook, dataPrefix, lookAtData, type Waiting, wantsBody } from "./http2_data.ts";
import { endOf } from "./http2_end.ts";
import { type HeaderBlock, readHeaderBlock } from "./http2_headers.ts";
import { HTTP2_FIELDS, requestOf, responseOf } from "./http2_message.ts";
import { FRAME_BYTES_MAX, PREFACE, probeHttp2 } from "./http2_probe.ts";
import { type Conversation, type Half, newConversation, streamOf } from "./http2_streams.ts";

type F = typeof HTTP2_FIELDS;

const FRAME_HEADER_BYTES = 9;
const BLOCK_BYTES_MAX = 1 << 18;

const DATA = 0, HEADERS = 1, RST_STREAM = 3, PUSH_PROMISE = 5, CONTINUATION = 9;
const END_STREAM = 1, END_HEADERS = 4, PADDED = 8, PRIORITY = 0x20;
/** Types up to 9, and ALTSVC, ORIGIN, PRIORITY_UPDATE; others are legal but not believed. */
const TYPES = new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x0c, 0x10]);

export const http2 = defineProtocol<F, Conversation>({
  name: "http2",
  spec: "https://www.rfc-editor.org/rfc/rfc9113",
  transports: ["tcp", "unix"],
  fields: HTTP2_FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  multiplexed: true,
  capture: "whole",
  starts: byteSet("P", 0),
  probe: probeHttp2,
  open: (_transport, options) => newConversation(options),

  read(cursor, way, make, state) {
    const half = way === "toClient" ? state.toClient : state.toServer;
    if (half.tail > 0) return readTail(cursor, half, state);
    if (half.looked !== null) {
      const { looked } = half;
      const end = () => endOf(looked.stream, half, state, null);
      return lookAtData(cursor, half, looked, state.streams.get(looked.stream), end);
    }
    if (half.waiting !== null) return readBegun(cursor, half, half.waiting, make, state);
    if (way !== "toClient" && cursor.peek() === 0x50) return readPreface(cursor, state);
    const length = cursor.u24();
    const type = cursor.u8();
    const flags = cursor.u8();
    const stream = cursor.u32() & 0x7fffffff;
    if (length > FRAME_BYTES_MAX || !TYPES.has(type)) throw new Malformed("not a frame");
    if (half.block.length > 0 && type !== CONTINUATION) throw new Malformed("block not continued");
    switch (type) {
      case DATA:
        return readData(cursor, length, flags, stream, half, state);
      case HEADERS:
      case PUSH_PROMISE:
      case CONTINUATION:
        return readBlock(cursor, length, type, flags, stream, half, make, state);
      case RST_STREAM:
        return readReset(cursor, stream, half, make, state);
      default:
        return pass(length);
    }
  },

  lost(state, way) {
    const half = way === "toClient" ? state.toClient : state.toServer;
    half.hpack = new HpackDecoder(true);
    half.block = EMPTY;
    half.tail = 0;
    half.waiting = null;
    half.looked = null;
    if (way !== "toServer") {
      for (const { response } of state.streams.values()) response.scan?.missed();
    }
  },
});

const EMPTY = new Uint8Array(0);
const NOTHING: Step = { kind: "nothing" };
const pass = (bytes: number): Step => bytes === 0 ? NOTHING : { kind: "skip", bytes };

function readPreface(cursor: Cursor, state: Conversation): Step {
  if (cursor.latin1(PREFACE.length) !== PREFACE) throw new Malformed("not the preface");
  // Both header tables are empty at this point: nothing was missed.
  state.toServer.hpack = new HpackDecoder(false);
  state.toClient.hpack = new HpackDecoder(false);
  return NOTHING;
}

/** DATA: counted, passed over; its last byte ends the message where END_STREAM is set. */
function readData(
  cursor: Cursor,
  length: number,
  flags: number,
  stream: number,
  half: Half,
  state: Conversation,
): Step {
  const found = state.streams.get(stream);
  if (found === undefined) return pass(length);
  const side = half === state.toServer ? found.request : found.response;
  if (found.grpc && (flags & PADDED) === 0) countGrpcMessages(cursor, length, side);
  side.bytes += FRAME_HEADER_BYTES + length;
  if (side.scan !== null) {
    if (canLook(length, flags)) {
      half.looked = { left: length, stream, ends: (flags & END_STREAM) !== 0 };
      return NOTHING;
    }
    if (length > 0) side.scan.missed();
  }
  if ((flags & END_STREAM) === 0) return pass(length);
  if (length === 0) return endOf(stream, half, state, null);
  half.tail = length;
  half.tailStream = stream;
  return NOTHING;
}

/** All but the last byte of a DATA frame that ends its stream is skipped. */
function readTail(cursor: Cursor, half: Half, state: Conversation): Step {
  if (half.tail > 1) {
    const bytes = half.tail - 1;
    half.tail = 1;
    return { kind: "skip", bytes };
  }
  cursor.skip(1);
  half.tail = 0;
  return endOf(half.tailStream, half, state, null);
}

function readBlock(
  cursor: Cursor,
  length: number,
  type: number,
  flags: number,
  stream: number,
  half: Half,
  make: Make<F>,
  state: Conversation,
): Step {
  cursor.enter(length);
  const padding = type !== CONTINUATION && (flags & PADDED) !== 0 ? cursor.u8() : 0;
  if (type === HEADERS && (flags & PRIORITY) !== 0) cursor.skip(5);
  if (type === PUSH_PROMISE) cursor.skip(4);
  const bytes = cursor.remaining - padding;
  if (bytes < 0) throw new Malformed("more padding than frame");
  if (half.block.length + bytes > BLOCK_BYTES_MAX) throw new Malformed("header block too long");
  const part = cursor.bytes(bytes);
  cursor.leave();
  if (type !== CONTINUATION) half.blockEnds = type === HEADERS && (flags & END_STREAM) !== 0;
  half.blockBytes += FRAME_HEADER_BYTES + length;
  const whole = half.block.length === 0 ? part : concat(half.block, part);
  if ((flags & END_HEADERS) === 0) {
    half.block = whole.slice();
    half.blockPushed = type === PUSH_PROMISE || half.blockPushed;
    return NOTHING;
  }
  const pushed = type === PUSH_PROMISE || half.blockPushed;
  const sum = half.blockBytes;
  half.block = EMPTY;
  half.blockBytes = 0;
  half.blockPushed = false;
  const headers = readHeaderBlock(half.hpack, whole);
  return pushed ? NOTHING : takeHeaders(headers, stream, sum, half, make, state);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/** A block is a request, a response, an interim response, or the trailers of either. */
function takeHeaders(
  headers: HeaderBlock,
  stream: number,
  bytes: number,
  half: Half,
  make: Make<F>,
  state: Conversation,
): Step {
  const ended = half.blockEnds;
  if (half === state.toServer) {
    const known = state.streams.get(stream);
    if (known !== undefined && headers.head.method === "") {
      known.request.bytes += bytes;
      return ended ? endOf(stream, half, state, headers) : NOTHING;
    }
    if (!ended && wantsBody(headers, state.refinements)) {
      half.waiting = { headers, stream, bytes };
      return NOTHING;
    }
    return openStream({ headers, stream, bytes }, ended, "", make, state);
  }
  const answered = streamOf(state, stream);
  answered.response.bytes += bytes;
  const { code } = headers.head;
  if (code >= 100 && code < 200) return NOTHING;
  if (answered.response.begun) return ended ? endOf(stream, half, state, headers) : NOTHING;
  answered.response.begun = true;
  answered.grpc ||= headers.head.contentType.startsWith("application/grpc");
  answered.response.ended = ended;
  if (!ended) answered.response.scan = scanOf(headers.head, answered.refinement);
  if (ended && answered.request.ended) state.streams.delete(stream);
  return make.response(responseOf(headers, stream, !ended));
}

/** The frame behind the headers of a request has come: its data, or else there is none to see. */
function readBegun(
  cursor: Cursor,
  half: Half,
  waiting: Waiting,
  make: Make<F>,
  state: Conversation,
): Step {
  const body = dataPrefix(cursor, waiting.stream);
  half.waiting = null;
  return openStream(waiting, false, body, make, state);
}

function openStream(
  { headers, stream, bytes }: Waiting,
  ended: boolean,
  body: string,
  make: Make<F>,
  state: Conversation,
): Step {
  const opened = streamOf(state, stream);
  opened.grpc = headers.head.contentType.startsWith("application/grpc");
  opened.request.bytes += bytes;
  opened.request.ended = ended;
  const { draft, refinement } = requestOf(headers, stream, opened.grpc, !ended, state, body);
  opened.refinement = refinement;
  return make.request(draft);
}

/** NO_ERROR and CANCEL are not failures of whoever sends them. */
function readReset(
  cursor: Cursor,
  stream: number,
  half: Half,
  make: Make<F>,
  state: Conversation,
): Step {
  const code = cursor.u32();
  const found = state.streams.get(stream);
  if (found === undefined) return NOTHING;
  state.streams.delete(stream);
  const fields = { reset_code: code };
  if (half === state.toServer) {
    const { request, response } = found;
    const reverse = request.ended;
    const { bytes } = reverse ? response : request;
    return { kind: "end", id: stream, reverse, bytes, status: "reset", fields };
  }
  const status = code === 0 ? "ok" : "reset";
  return found.response.begun
    ? { kind: "end", id: stream, bytes: found.response.bytes, status, fields }
    : make.response({ id: stream, status: "reset", fields });
}
