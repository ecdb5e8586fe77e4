// SPDX-License-Identifier: Apache-2.0
// What is kept of an HTTP/1 head: fields under OpenTelemetry's names, secrets masked.

import type { Status } from "../../../../model/status.ts";
import type { Refined } from "../../../wire/refinement.ts";
import { REFINED_FIELDS } from "../refinements.gen.ts";
import { templatePath } from "../../../wire/path_template.ts";
import type { Draft, Fields, FieldValues } from "../../../wire/protocol.ts";
import type { Head } from "./http_head.ts";

export const HTTP_FIELDS = {
  method: { type: "string", otel: "http.request.method", doc: "method of the request" },
  path: { type: "string", otel: "url.path", doc: "path, without the query" },
  query: { type: "string", otel: "url.query", doc: "query, values of secret parameters masked" },
  scheme: { type: "string", otel: "url.scheme", doc: "scheme, where the target states it" },
  host: { type: "string", otel: "server.address", doc: "host that the request names" },
  port: { type: "number", otel: "server.port", doc: "port that the request names" },
  version: { type: "string", otel: "network.protocol.version", doc: "1.0 or 1.1" },
  user_agent: { type: "string", otel: "user_agent.original", doc: "User-Agent header" },
  referer: { type: "string", otel: "http.request.header.referer", doc: "Referer header" },
  client_ip: {
    type: "string",
    otel: "client.address",
    doc: "first address of X-Forwarded-For, or X-Real-IP",
  },
  content_type: { type: "string", doc: "Content-Type header of the message" },
  upgrade: { type: "string", doc: "protocol that is asked for or switched to" },
  status_code: {
    type: "number",
    otel: "http.response.status_code",
    doc: "status code of the response",
  },
  events: { type: "number", doc: "events of a text/event-stream" },
  ...REFINED_FIELDS,
} as const satisfies Fields;

type HttpDraft = Draft<typeof HTTP_FIELDS>;

export function requestDraft(
  head: Head,
  url: Target,
  more: boolean,
  refined: Refined<Fields> | null,
): HttpDraft {
  const authority = url.host !== "" ? url.host : head.host;
  const [host, port] = splitHost(authority);
  const fields = requestFields(head, url, host, port);
  return {
    type: head.method,
    resource: resourceOf(url, head.method, authority),
    domain: authority,
    endpoint: refined === null || refined.endpoint === ""
      ? templatePath(url.path)
      : refined.endpoint,
    identity: head.identity,
    more,
    clipped: head.clipped,
    fields: refined === null ? fields : { ...fields, ...refined.fields },
  };
}

/** Of CONNECT it is whom the proxy shall reach. */
function resourceOf({ path, query }: Target, method: string, authority: string): string {
  if (query !== "") return `${path}?${query}`;
  return path === "" && method === "CONNECT" ? authority : path;
}

/** A target in its parts, each "" where it has none. */
export interface Target {
  path: string;
  query: string;
  scheme: string;
  host: string;
}

type HttpFields = { -readonly [N in keyof HttpFieldValues]: HttpFieldValues[N] };
type HttpFieldValues = FieldValues<typeof HTTP_FIELDS>;

function requestFields(head: Head, url: Target, host: string, port: number): HttpFields {
  const fields: HttpFields = { method: head.method };
  if (url.path !== "") fields.path = url.path;
  if (url.query !== "") fields.query = url.query;
  if (url.scheme !== "") fields.scheme = url.scheme;
  if (host !== "") fields.host = host;
  if (port > 0) fields.port = port;
  fields.version = head.version;
  if (head.userAgent !== "") fields.user_agent = head.userAgent;
  if (head.referer !== "") fields.referer = head.referer;
  if (head.clientIp !== "") fields.client_ip = head.clientIp;
  if (head.contentType !== "") fields.content_type = head.contentType;
  if (head.upgrade !== "") fields.upgrade = head.upgrade;
  return fields;
}

function responseFields(head: Head): HttpFields {
  const fields: HttpFields = { status_code: head.code, version: head.version };
  if (head.contentType !== "") fields.content_type = head.contentType;
  if (head.upgrade !== "") fields.upgrade = head.upgrade;
  return fields;
}

export function responseDraft(head: Head, more: boolean): HttpDraft {
  return {
    code: head.code,
    status: statusOf(head.code),
    identity: head.identity,
    more,
    clipped: head.clipped,
    fields: responseFields(head),
  };
}

function statusOf(code: number): Status {
  if (code >= 500) return "server_error";
  return code >= 400 ? "client_error" : "ok";
}

/** Origin form (`/a?b`), absolute form (`http://host/a`), authority form (CONNECT), `*`. */
export function readTarget({ target, method }: Head, unmask: boolean): Target {
  let scheme = "", host = "", rest = target;
  if (method === "CONNECT") return { path: "", query: "", scheme, host: target };
  const colon = target.startsWith("/") ? -1 : target.indexOf("://");
  if (colon > 0) {
    scheme = target.slice(0, colon);
    const slash = target.indexOf("/", colon + 3);
    const authority = target.slice(colon + 3, slash < 0 ? undefined : slash);
    host = authority.slice(authority.lastIndexOf("@") + 1);
    rest = slash < 0 ? "/" : target.slice(slash);
  }
  const question = rest.indexOf("?");
  if (question < 0) return { path: rest, query: "", scheme, host };
  const query = rest.slice(question + 1);
  return {
    path: rest.slice(0, question),
    query: unmask ? query : maskQuery(query),
    scheme,
    host,
  };
}

const SECRET_WORD = /pass|pwd|secret|token|sig|key|auth|session|credential/i;
const SECRET =
  /((?:^|&)(?:[^=&]*(?:passw|pwd|secret|token|signature|api_?-?key|auth|session|credential)[^=&]*|key|sig)=)[^&]*/gi;
/** A user and a password, as InfluxDB has them. */
const LOGIN = /((?:^|&)u=[^&]*&p=)[^&]*/;

/** Values of parameters whose names speak of secrets are left out. */
export function maskQuery(query: string): string {
  const masked = SECRET_WORD.test(query) ? query.replace(SECRET, "$1***") : query;
  return masked.includes("p=") ? masked.replace(LOGIN, "$1***") : masked;
}

/** Host and port; -1 where no port is named. */
type HostPort = readonly [host: string, port: number];

/** The newest: most requests in a row name the same. */
let split: { readonly authority: string; readonly parts: HostPort } = {
  authority: "",
  parts: ["", -1],
};

function splitHost(authority: string): HostPort {
  if (authority !== split.authority) split = { authority, parts: partsOf(authority) };
  return split.parts;
}

function partsOf(authority: string): HostPort {
  const colon = authority.lastIndexOf(":");
  if (colon < 0 || authority.endsWith("]")) return [authority, -1];
  const port = Number(authority.slice(colon + 1));
  return Number.isInteger(port) && port > 0 ? [authority.slice(0, colon), port] : [authority, -1];
}
