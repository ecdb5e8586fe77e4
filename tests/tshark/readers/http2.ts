// SPDX-License-Identifier: Apache-2.0
// HTTP/2 and gRPC: the first header block of a stream and way makes its message, trailers and data
// complete it.

import { first, type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkConnection, SharkMessage, SharkReader, Way } from "../shark_message.ts";
import { identityOf, statusOf } from "./http.ts";

export const http2: SharkReader = {
  protocol: "http2",
  decodeAs: ["http2"],
  parts: ["http2", "grpc"],
  open: connection,
};

const FRAME = { headers: 1, reset: 3 } as const;

function connection(): SharkConnection {
  const messages = new Map<string, SharkMessage>();
  let last: SharkMessage | undefined;

  function headers(part: Node, way: Way, id: number, emit: (draft: Draft) => SharkMessage): void {
    const key = `${way} ${id}`;
    const all = headersOf(part);
    const known = messages.get(key);
    if (known === undefined) {
      messages.set(key, emit(way === "up" ? request(all, id) : response(all, id)));
    } else complete(known, all);
    if (known === undefined) complete(messages.get(key), all);
  }

  return {
    take(part, way, emit) {
      if (part.name === "grpc") {
        if (last === undefined) return;
        const field = way === "up" ? "request_messages" : "response_messages";
        last.fields[field] = Number(last.fields[field] ?? 0) + 1;
        return;
      }
      const frame = first(part, "http2.stream");
      if (frame === undefined) return;
      const id = number(frame, "http2.streamid") ?? 0;
      if (number(frame, "http2.type") === FRAME.headers && first(frame, "http2.header")) {
        headers(frame, way, id, emit);
      }
      last = messages.get(`${way} ${id}`);
    },
  };
}

/** A gRPC status other than 0 is the code of the call. */
function complete(message: SharkMessage | undefined, headers: ReadonlyMap<string, string>): void {
  const status = headers.get("grpc-status");
  if (message === undefined || status === undefined) return;
  message.facts.code = Number(status);
  message.facts.status = Number(status) === 0
    ? "ok"
    : CLIENT_ERRORS.includes(Number(status))
    ? "client_error"
    : "server_error";
  const text = headers.get("grpc-message");
  if (text !== undefined && status !== "0") message.fields["grpc_message"] = text;
}

const CLIENT_ERRORS = [1, 3, 5, 6, 7, 9, 11, 16];

function headersOf(frame: Node): Map<string, string> {
  const headers = [...nodesNamed(frame, "http2.header")].map((node) =>
    [show(node, "http2.header.name") ?? "", show(node, "http2.header.value") ?? ""] as const
  );
  return new Map(headers);
}

function request(headers: ReadonlyMap<string, string>, id: number): Draft {
  const method = headers.get(":method");
  const target = headers.get(":path") ?? "";
  const [path = "", query] = target.split(/\?(.*)/s);
  const authority = headers.get(":authority");
  const isGrpc = headers.get("content-type")?.startsWith("application/grpc") === true;
  return {
    facts: {
      kind: "request",
      ...(method !== undefined && { type: method }),
      resource: target,
      ...(authority !== undefined && { domain: authority }),
      ...(isGrpc && { endpoint: path.slice(1) }),
      id: `${id}`,
      ...identityOf((name) => headers.get(name)),
    },
    fields: {
      method,
      path,
      query: query === "" ? undefined : query,
      stream: id,
      scheme: headers.get(":scheme"),
      user_agent: headers.get("user-agent"),
      referer: headers.get("referer"),
      content_type: headers.get("content-type"),
      ...(isGrpc && {
        grpc_service: path.slice(1).split("/")[0],
        grpc_method: path.slice(1).split("/")[1],
      }),
    },
  };
}

function response(headers: ReadonlyMap<string, string>, id: number): Draft {
  const code = Number(headers.get(":status"));
  const isGrpc = headers.get("content-type")?.startsWith("application/grpc") === true;
  return {
    facts: { kind: "response", id: `${id}`, ...(!isGrpc && { code, status: statusOf(code) }) },
    fields: { status_code: code, stream: id, content_type: headers.get("content-type") },
  };
}
