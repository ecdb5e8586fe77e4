// SPDX-License-Identifier: Apache-2.0
// A header block as far as it is of interest, and the fields that a message has at its end.

import type { HpackDecoder } from "./hpack.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import { type Head, newHead } from "../http/http_head.ts";
import type { StreamSide } from "./http2_streams.ts";

export interface HeaderBlock {
  readonly head: Head;
  scheme: string;
  /** "" when the block has none. */
  grpcStatus: string;
  grpcMessage: string;
  /** Headers that stand in a part of the table that was never seen. */
  unknown: number;
}

export function readHeaderBlock(hpack: HpackDecoder, bytes: Uint8Array): HeaderBlock {
  const head: Head = { ...newHead(), version: "2" };
  const block: HeaderBlock = { head, scheme: "", grpcStatus: "", grpcMessage: "", unknown: 0 };
  const reader = new IdentityReader();
  hpack.decode(bytes, (name, value) => {
    if (name === null || value === null) block.unknown++;
    else if (!takeHeader(block, name, value)) reader.add(name, value);
  });
  head.identity = reader.identity();
  head.clipped = block.unknown > 0 && head.target === "" && head.code === 0;
  return block;
}

/** Keeps a header that is shown; false for one that may carry an id, or is of no interest. */
function takeHeader(block: HeaderBlock, name: string, value: string): boolean {
  const { head } = block;
  switch (name) {
    case ":method":
      head.method = value;
      return true;
    case ":path":
      head.target = value;
      return true;
    case ":status":
      head.code = /^[1-9]\d\d$/.test(value) ? Number(value) : 0;
      return true;
    case ":authority":
    case "host":
      if (head.host === "") head.host = value;
      return true;
    case ":scheme":
      block.scheme = value;
      return true;
    case "content-type":
      head.contentType = value;
      return true;
    case "content-encoding":
      head.encoded = value.toLowerCase() !== "identity";
      return true;
    case "user-agent":
      head.userAgent = value;
      return true;
    case "referer":
      head.referer = value;
      return true;
    case "x-forwarded-for":
      head.clientIp = value.split(",", 1)[0] ?? "";
      return true;
    case "x-amz-target":
      head.amzTarget = value;
      return true;
    case "grpc-status":
      block.grpcStatus = value;
      return true;
    case "grpc-message":
      block.grpcMessage = value;
      return true;
    default:
      return false;
  }
}

/** Counts and, from trailers, the outcome of a gRPC call. */
export function endFields(
  request: boolean,
  side: StreamSide,
  grpc: boolean,
  trailers: HeaderBlock | null,
): Record<string, string | number> {
  const counted = grpc && side.messages >= 0;
  return {
    ...(counted && { [request ? "request_messages" : "response_messages"]: side.messages }),
    ...(trailers !== null && trailers.grpcStatus !== "" && { grpc_status: trailers.grpcStatus }),
    ...(trailers !== null && trailers.grpcMessage !== "" && { grpc_message: trailers.grpcMessage }),
  };
}
