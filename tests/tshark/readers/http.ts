// SPDX-License-Identifier: Apache-2.0
// HTTP/1: a request or a response each.

import { first, type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const http: SharkReader = {
  protocol: "http",
  decodeAs: ["http"],
  parts: ["http"],
  open: () => ({
    take(part, _way, emit) {
      const code = number(part, "http.response.code");
      if (code !== undefined && (code === 101 || code >= 200)) emit(response(part, code));
      else if (show(part, "http.request.method") !== undefined) emit(request(part));
    },
  }),
};

function request(part: Node): Draft {
  const method = show(part, "http.request.method") ?? "";
  const target = show(part, "http.request.uri") ?? "";
  const [path = "", query] = target.split(/\?(.*)/s);
  const host = show(part, "http.host");
  return {
    facts: {
      kind: "request",
      type: method,
      resource: target,
      ...(host !== undefined && { domain: host }),
      ...identityOf((name) => headerOf(part, name)),
    },
    fields: {
      method,
      path,
      query: query === "" ? undefined : query,
      host: host?.replace(/:\d+$/, ""),
      version: versionOf(show(part, "http.request.version")),
      user_agent: show(part, "http.user_agent"),
      referer: show(part, "http.referer"),
      content_type: show(part, "http.content_type"),
    },
  };
}

function response(part: Node, code: number): Draft {
  return {
    facts: { kind: "response", code, status: statusOf(code) },
    fields: {
      status_code: code,
      version: versionOf(show(part, "http.response.version")),
      content_type: show(part, "http.content_type"),
    },
  };
}

export function statusOf(code: number): string {
  return code >= 500 ? "server_error" : code >= 400 ? "client_error" : "ok";
}

/** Trace and request ids of W3C and X-Request-ID headers. */
export function identityOf(header: (name: string) => string | undefined) {
  const [, trace, parent] = header("traceparent")?.split("-") ?? [];
  const xRequestId = header("x-request-id");
  return {
    ...(trace !== undefined && parent !== undefined && { trace, parent }),
    ...(xRequestId !== undefined && { xRequestId }),
  };
}

const versionOf = (text: string | undefined) => text?.replace("HTTP/", "");

function headerOf(part: Node, name: string): string | undefined {
  for (const each of ["http.request.line", "http.response.line", "http.unknown_header"]) {
    for (const { show } of nodesNamed(part, each)) {
      const [key = "", value = ""] = show.split(/:\s*(.*)/s);
      if (key.toLowerCase() === name) return value.replace(/\r\n$|\\r\\n$/, "").trim();
    }
  }
  return first(part, `http.${name}`)?.show;
}
