// SPDX-License-Identifier: Apache-2.0
// How a message of HTTP/2 ends, and what became known of it by then.

import type { Step } from "../../../wire/protocol.ts";
import { endFields, type HeaderBlock } from "./http2_headers.ts";
import { trailerStatus } from "./http2_message.ts";
import type { Conversation, Half } from "./http2_streams.ts";

/** The message of this half of the stream is over; with trailers, they say how it went. */
export function endOf(
  stream: number,
  half: Half,
  state: Conversation,
  trailers: HeaderBlock | null,
): Step {
  const found = state.streams.get(stream);
  if (found === undefined) return { kind: "nothing" };
  const request = half === state.toServer;
  const side = request ? found.request : found.response;
  if (side.ended) return { kind: "nothing" };
  side.ended = true;
  if (found.response.ended && found.request.ended) state.streams.delete(stream);
  const status = trailers === null ? null : trailerStatus(trailers);
  return {
    kind: "end",
    id: stream,
    bytes: side.bytes,
    ...(status !== null && { code: status.code, status: status.status }),
    fields: { ...endFields(request, side, found.grpc, trailers), ...side.scan?.fields() },
  };
}
