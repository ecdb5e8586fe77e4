// SPDX-License-Identifier: Apache-2.0
// The parameters of a FastCGI request: CGI variables, of which HTTP_… are headers.

import type { Identity } from "../../../../model/message.ts";
import type { Fields, FieldValues } from "../../../wire/protocol.ts";
import { decodeUtf8 } from "../../../wire/text.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import { maskQuery } from "../http/http_message.ts";

export const FASTCGI_FIELDS = {
  method: { type: "string", otel: "http.request.method", doc: "method of the request" },
  path: { type: "string", otel: "url.path", doc: "path, without the query" },
  query: { type: "string", otel: "url.query", doc: "query, values of secret parameters masked" },
  host: { type: "string", otel: "server.address", doc: "host that the request names" },
  scheme: { type: "string", otel: "url.scheme", doc: "http or https" },
  script: { type: "string", otel: "code.file.path", doc: "script that is run" },
  user_agent: { type: "string", otel: "user_agent.original", doc: "User-Agent header" },
  client_ip: { type: "string", otel: "client.address", doc: "address of the web server's client" },
  content_type: { type: "string", doc: "Content-Type of the message" },
  status_code: {
    type: "number",
    otel: "http.response.status_code",
    doc: "status of the response",
  },
  exit_code: { type: "number", otel: "process.exit.code", doc: "exit code of the program" },
  protocol_status: { type: "string", doc: "why the request was refused" },
  error_message: { type: "string", doc: "beginning of what STDERR said" },
} as const satisfies Fields;

type Values = { -readonly [N in keyof Known]: Known[N] };
type Known = FieldValues<typeof FASTCGI_FIELDS>;

export interface Params {
  readonly fields: Values;
  readonly path: string;
  readonly domain: string;
  readonly identity: Identity | null;
}

const NAMES: Readonly<Record<string, "method" | "scheme" | "script" | "user_agent" | "client_ip">> =
  {
    REQUEST_METHOD: "method",
    REQUEST_SCHEME: "scheme",
    SCRIPT_FILENAME: "script",
    HTTP_USER_AGENT: "user_agent",
    REMOTE_ADDR: "client_ip",
  };

/** Reads as many parameters as are whole. */
export function readParams(bytes: Uint8Array, unmask: boolean): Params {
  const fields: Values = {};
  const reader = new IdentityReader();
  const seen = { uri: "", script: "", query: "", host: "", server: "" };
  for (let at = 0; at < bytes.length;) {
    const [nameBytes, valueAt] = lengthAt(bytes, at);
    const [valueBytes, textAt] = lengthAt(bytes, valueAt);
    const end = textAt + nameBytes + valueBytes;
    if (end > bytes.length) break;
    const name = decodeUtf8(bytes, textAt, textAt + nameBytes);
    const value = decodeUtf8(bytes, textAt + nameBytes, end);
    take(name, value, fields, seen, reader);
    at = end;
  }
  const question = seen.uri.indexOf("?");
  const path = seen.uri === ""
    ? seen.script
    : question < 0
    ? seen.uri
    : seen.uri.slice(0, question);
  const query = question < 0 ? seen.query : seen.uri.slice(question + 1);
  const domain = seen.host || seen.server;
  const host = domain.replace(/:\d+$/, "");
  if (path !== "") fields.path = path;
  if (question >= 0 || (seen.uri === "" && query !== "")) {
    fields.query = unmask ? query : maskQuery(query);
  }
  if (host !== "") fields.host = host;
  return { fields, path, domain, identity: reader.identity() };
}

function lengthAt(bytes: Uint8Array, at: number): [length: number, next: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, at + 1];
  const rest = (bytes[at + 1] ?? 0) << 16 | (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0);
  return [(first & 0x7f) * 2 ** 24 + rest, at + 4];
}

function take(
  name: string,
  value: string,
  fields: Values,
  seen: { uri: string; script: string; query: string; host: string; server: string },
  reader: IdentityReader,
): void {
  const field = NAMES[name];
  if (field !== undefined) fields[field] = value;
  else if (name === "REQUEST_URI") seen.uri = value;
  else if (name === "SCRIPT_NAME") seen.script = value;
  else if (name === "QUERY_STRING") seen.query = value;
  else if (name === "HTTP_HOST") seen.host = value;
  else if (name === "SERVER_NAME") seen.server = value;
  else if (name === "CONTENT_TYPE" && value !== "") fields.content_type = value;
  else if (name.startsWith("HTTP_")) {
    reader.add(name.slice(5).toLowerCase().replaceAll("_", "-"), value);
  }
}
