// SPDX-License-Identifier: Apache-2.0
// Reads the results that lie beside captures: one Rust debug struct per message and line.

/** What such a line states of a message; what it does not state is absent. */
export interface Expected {
  kind?: string | undefined;
  type?: string | undefined;
  resource?: string | undefined;
  domain?: string | undefined;
  code?: number | null | undefined;
  status?: string | undefined;
  traceId?: string | undefined;
  parentId?: string | undefined;
  requestId?: string | undefined;
}

export function parseResult(protocol: "http" | "redis", text: string): Expected[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.flatMap((line) => {
    const found = protocol === "http" ? httpLine(line) : redisLine(line);
    return found === null ? [] : [found];
  });
}

/** HTTP/1 only. */
function httpLine(line: string): Expected | null {
  if (field(line, "proto") !== "Http1") return null;
  const kind = field(line, "msg_type").toLowerCase();
  const code = /status_code: Some\((\d+)\)/.exec(line)?.[1];
  if (kind === "response") {
    return { kind, code: Number(code), status: field(line, "status").toLowerCase() };
  }
  const found: Expected = {
    kind,
    type: field(line, "method").toUpperCase(),
    resource: quoted(line, "path"),
    domain: quoted(line, "host").replace(/:\d+$/, ""),
  };
  const traceId = /trace_ids: PrioFields\(\[PrioField \{ prio: \d+, field: "([^"]*)"/.exec(line)
    ?.[1];
  if (traceId !== undefined) found.traceId = traceId;
  const parentId = quotedIn(line, "span_id");
  if (parentId !== "") found.parentId = parentId;
  const requestId = quotedIn(line, "x_request_id_0");
  if (requestId !== "") found.requestId = requestId;
  return found;
}

function redisLine(line: string): Expected | null {
  const request = quoted(line, "request");
  if (request !== "") {
    const type = quoted(line, "request_type").toUpperCase();
    const found: Expected = { kind: "request", type };
    // Theirs holds all arguments, ours the key.
    if (type === "GET" || type === "EXISTS") found.resource = type + request.slice(type.length);
    return found;
  }
  // The rest of a long reply: a packet by itself for them.
  if (field(line, "response_result") === "Unknown") return null;
  const status = quoted(line, "error") === "" ? "ok" : "client_error";
  return { kind: "response", status };
}

const field = (line: string, name: string) =>
  new RegExp(`[ {]${name}: (\\w+)`).exec(line)?.[1] ?? "";

const quoted = (line: string, name: string) =>
  new RegExp(`[ {]${name}: "([^"]*)"`).exec(line)?.[1] ?? "";

const quotedIn = (line: string, name: string) =>
  new RegExp(`[ {]${name}: PrioField \\{ prio: \\d+, field: "([^"]*)"`).exec(line)?.[1] ?? "";
