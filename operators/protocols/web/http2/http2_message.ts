// SPDX-License-Identifier: Apache-2.0
// What is kept of HTTP/2 and gRPC messages: the fields of HTTP/1, and those of a call.

import type { Status } from "../../../../model/status.ts";
import type { Draft, Fields } from "../../../wire/protocol.ts";
import type { Refinement } from "../../../wire/refinement.ts";
import type { Conversation } from "./http2_streams.ts";
import type { HeaderBlock } from "./http2_headers.ts";
import { HTTP_FIELDS, readTarget, requestDraft, responseDraft } from "../http/http_message.ts";
import { refineRequest } from "../refine_request.ts";

export const HTTP2_FIELDS = {
  ...HTTP_FIELDS,
  stream: { type: "number", doc: "stream id" },
  grpc_service: { type: "string", otel: "rpc.service", doc: "gRPC service with its package" },
  grpc_method: { type: "string", otel: "rpc.method", doc: "gRPC method" },
  grpc_status: {
    type: "string",
    otel: "rpc.response.status_code",
    doc: "gRPC status code: 0 is success",
  },
  grpc_message: { type: "string", doc: "gRPC status message" },
  request_messages: { type: "number", doc: "gRPC messages sent by the client" },
  response_messages: { type: "number", doc: "gRPC messages sent by the server" },
  reset_code: { type: "number", doc: "error code of RST_STREAM" },
} as const satisfies Fields;

type Http2Draft = Draft<typeof HTTP2_FIELDS>;

export function requestOf(
  block: HeaderBlock,
  stream: number,
  grpc: boolean,
  more: boolean,
  { unmask, refinements }: Pick<Conversation, "unmask" | "refinements">,
  body: string,
): { draft: Http2Draft; refinement: Refinement | null } {
  const url = readTarget(block.head, unmask);
  const found = refineRequest(block.head, url, block.head.host, () => body, refinements);
  const draft = requestDraft(block.head, url, more, found?.refined ?? null);
  const [, service, method] = grpc ? /^\/([^/]+)\/([^/?]+)$/.exec(block.head.target) ?? [] : [];
  const call = service !== undefined && method !== undefined;
  const told = {
    ...draft,
    id: stream,
    ...(call && { endpoint: `${service}/${method}` }),
    fields: {
      ...draft.fields,
      stream,
      ...(block.scheme !== "" && { scheme: block.scheme }),
      ...(call && { grpc_service: service, grpc_method: method }),
    },
  };
  return { draft: told, refinement: found?.refinement ?? null };
}

export function responseOf(block: HeaderBlock, stream: number, more: boolean): Http2Draft {
  const { code, ...draft } = responseDraft(block.head, more);
  const known = block.head.code !== 0 && code !== undefined;
  const outcome = trailerStatus(block);
  return {
    ...draft,
    id: stream,
    ...(known ? { code } : { status: "unknown" as const }),
    ...outcome,
    fields: {
      ...draft.fields,
      stream,
      ...(block.grpcStatus !== "" && { grpc_status: block.grpcStatus }),
      ...(block.grpcMessage !== "" && { grpc_message: block.grpcMessage }),
    },
  };
}

/** gRPC codes that are the caller's doing, cancelled among them; others but 0 are the server's. */
const CLIENT_CODES = new Set([1, 3, 5, 6, 7, 9, 11, 16]);

/** Outcome of a call from `grpc-status`, or null where there is none. */
export function trailerStatus(block: HeaderBlock): { code: number; status: Status } | null {
  if (!/^\d{1,3}$/.test(block.grpcStatus)) return null;
  const code = Number(block.grpcStatus);
  if (code === 0) return { code, status: "ok" };
  return { code, status: CLIENT_CODES.has(code) ? "client_error" : "server_error" };
}
