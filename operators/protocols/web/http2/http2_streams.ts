// SPDX-License-Identifier: Apache-2.0
// What is known of one HTTP/2 connection and of the streams that are open on it.

import type { OpenOptions } from "../../../wire/protocol.ts";
import type { Refinement } from "../../../wire/refinement.ts";
import type { Scan } from "../http/http_scan.ts";
import { HpackDecoder } from "./hpack.ts";
import type { Looked, Waiting } from "./http2_data.ts";

/** One direction of one stream. */
export interface StreamSide {
  /** Frames of this stream in this direction, their headers included. */
  bytes: number;
  begun: boolean;
  ended: boolean;
  /** gRPC messages begun; -1 when they could not be counted. */
  messages: number;
  /** Bytes of the gRPC message under way that are still to come. */
  messageLeft: number;
  /** Looks at what passes; null where nobody wants to know. */
  scan: Scan | null;
}

export interface Stream {
  readonly request: StreamSide;
  readonly response: StreamSide;
  grpc: boolean;
  /** What the request is about, if it is about anything in particular. */
  refinement: Refinement | null;
}

/** One direction of the connection. */
export interface Half {
  hpack: HpackDecoder;
  /** Header block begun and not yet ended, and what its frames said. */
  block: Uint8Array;
  blockBytes: number;
  blockEnds: boolean;
  blockPushed: boolean;
  /** Rest of a DATA frame that ends its stream. */
  tail: number;
  tailStream: number;
  /** A request that is told once its body has begun. */
  waiting: Waiting | null;
  /** Rest of a DATA frame that is looked at. */
  looked: Looked | null;
}

export interface Conversation {
  readonly toServer: Half;
  readonly toClient: Half;
  readonly streams: Map<number, Stream>;
  /** Queries show the values of secret parameters. */
  readonly unmask: boolean;
  /** The user's own. */
  readonly refinements: readonly Refinement[];
}

/** Streams remembered per connection; the oldest is forgotten beyond. */
const STREAMS_MAX = 1_024;

export function newConversation(options?: OpenOptions): Conversation {
  return {
    toServer: newHalf(),
    toClient: newHalf(),
    streams: new Map(),
    unmask: options?.unmask === true,
    refinements: options?.refinements ?? [],
  };
}

/** Until the preface is seen, header tables may hold what came before the capture. */
const newHalf = (): Half => ({
  hpack: new HpackDecoder(true),
  block: new Uint8Array(0),
  blockBytes: 0,
  blockEnds: false,
  blockPushed: false,
  tail: 0,
  tailStream: 0,
  waiting: null,
  looked: null,
});

const newSide = (): StreamSide => ({
  bytes: 0,
  begun: false,
  ended: false,
  messages: 0,
  messageLeft: 0,
  scan: null,
});

export function streamOf(conversation: Conversation, id: number): Stream {
  const { streams } = conversation;
  const known = streams.get(id);
  if (known !== undefined) return known;
  const stream = { request: newSide(), response: newSide(), grpc: false, refinement: null };
  streams.set(id, stream);
  if (streams.size > STREAMS_MAX) streams.delete(streams.keys().next().value ?? id);
  return stream;
}
