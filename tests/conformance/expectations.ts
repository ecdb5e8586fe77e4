// SPDX-License-Identifier: Apache-2.0
// What an expectation states, in our words: one function per folder of captures.
//
// Left out are facts that are no statement about the bytes: `Other` as a kind, codes and statuses
// of what has none, default values, sizes, times.

import type { Facts } from "./facts.ts";
import type { Struct, Value } from "./expected_line.ts";

export interface Folder {
  /** Our name of the protocol. */
  readonly protocol: string;
  /**
   * Facts of a line; null: no message, but a part of one that other lines state. `before` is the
   * line before it.
   */
  facts(line: Struct, before: Struct | null): Facts | null;
}

export const FOLDERS: Readonly<Record<string, Folder>> = {
  amqp: { protocol: "amqp", facts: amqp },
  brpc: { protocol: "brpc", facts: brpc },
  dns: { protocol: "dns", facts: dns },
  dubbo: { protocol: "dubbo", facts: dubbo },
  fastcgi: { protocol: "fastcgi", facts: fastcgi },
  http: { protocol: "http", facts: http },
  kafka: { protocol: "kafka", facts: kafka },
  memcached: { protocol: "memcached", facts: memcached },
  mongo: { protocol: "mongodb", facts: mongo },
  mqtt: { protocol: "mqtt", facts: mqtt },
  mysql: { protocol: "mysql", facts: mysql },
  nats: { protocol: "nats", facts: nats },
  openwire: { protocol: "openwire", facts: openwire },
  postgre: { protocol: "postgresql", facts: postgre },
  pulsar: { protocol: "pulsar", facts: pulsar },
  redis: { protocol: "redis", facts: redis },
  rocketmq: { protocol: "rocketmq", facts: rocketmq },
  sofarpc: { protocol: "sofarpc", facts: sofarpc },
  some_ip: { protocol: "someip", facts: someIp },
  tars: { protocol: "tars", facts: tars },
  tls: { protocol: "tls", facts: tls },
  zmtp: { protocol: "zmtp", facts: zmtp },
};

const isStruct = (value: Value | undefined): value is Struct =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const struct = (value: Value | undefined): Struct => isStruct(value) ? value : {};

/** A text or number as text, "" where absent; the value of a field with a priority. */
function text(value: Value | undefined): string {
  if (isStruct(value)) return text(value.field);
  if (Array.isArray(value)) return text(value[0]);
  return value === undefined || value === null ? "" : `${value}`;
}

/** Only what is stated: empty texts are not. */
function stated(facts: { [N in keyof Facts]?: Facts[N] | "" | null | undefined }): Facts {
  const entries = Object.entries(facts).filter(([, value]) =>
    value !== "" && value !== null && value !== undefined
  );
  return Object.fromEntries(entries);
}

const KINDS: Readonly<Record<string, string>> = {
  Request: "request",
  Response: "response",
  Session: "oneway",
};

const kindOf = (line: Struct): string => KINDS[text(line.msg_type)] ?? "";

/** `ClientError` → client_error, of answers only. */
function statusOf(line: Struct, value: Value | undefined): string {
  if (kindOf(line) !== "response") return "";
  const name = text(value).replaceAll(/\B[A-Z]/g, "_$&").toLowerCase();
  return name === "unknown" ? "" : name;
}

const identity = (line: Struct) => ({
  trace: text(line.trace_ids),
  parent: text(line.span_id),
});

function amqp(line: Struct): Facts | null {
  if (line.frame_type === "Header" || line.frame_type === "Body") {
    // The content of the publish before: its trace context is compared there.
    return null;
  }
  const header = line.is_protcol_header === true;
  return stated({
    kind: kindOf(line),
    type: header ? "ProtocolHeader" : `${text(line.class_id)}.${text(line.method_id)}`,
    endpoint: kindOf(line) === "response" ? "" : text(line.endpoint),
    status: statusOf(line, line.resp_status),
    code: AMQP_CODES[text(line.resp_code)],
    ...identity(line),
  });
}

const AMQP_CODES: Readonly<Record<string, number>> = {
  AccessRefused: 403,
  NotFound: 404,
  NotAllowed: 530,
  ResourceLocked: 405,
  PreconditionFailed: 406,
};

function brpc(line: Struct): Facts {
  const service = text(line.req_service_name);
  const method = text(line.req_method_name);
  return stated({
    kind: kindOf(line),
    type: method,
    resource: service,
    endpoint: method === "" ? "" : `${service}/${method}`,
    id: text(line.correlation_id),
    code: number(line.resp_code),
    status: statusOf(line, line.resp_status),
    ...identity(line),
  });
}

const number = (value: Value | undefined): number | null =>
  typeof value === "number" ? value : null;

function dns(line: Struct): Facts {
  return stated({
    kind: kindOf(line),
    type: text(line.request_type),
    resource: text(line.request_resource),
    id: text(line.request_id),
    code: number(line.response_code),
    status: statusOf(line, line.response_status),
  });
}

function dubbo(line: Struct): Facts {
  const code = number(line.status_code);
  const response = kindOf(line) === "response";
  return stated({
    kind: kindOf(line),
    type: text(line.method_name),
    resource: text(line.service_name),
    endpoint: response ? "" : text(line.endpoint),
    id: text(line.request_id),
    code,
    status: response && code === 20 ? "ok" : "",
    ...identity(line),
  });
}

function fastcgi(line: Struct): Facts {
  return stated({
    kind: kindOf(line),
    type: text(line.method),
    resource: text(line.path),
    domain: text(line.host),
    id: text(line.request_id),
    code: number(line.status_code),
    status: statusOf(line, line.status),
    ...identity(line),
  });
}

function http(line: Struct): Facts | null {
  const method = text(line.method);
  // Data frames, and the head of a streamed response, belong to the message of their stream.
  if (line.msg_type === "Session" && /^_/.test(method)) return null;
  if (line.msg_type === "Other" && line.version === "Unknown") return null;
  const request = kindOf(line) === "request";
  return stated({
    kind: kindOf(line),
    type: method.startsWith("_") ? "" : method,
    resource: text(line.path),
    domain: text(line.host),
    endpoint: request && line.proto === "Grpc" ? text(line.endpoint).replace(/^\//, "") : "",
    id: text(line.stream_id),
    code: number(line.grpc_status_code) ?? number(line.status_code),
    status: statusOf(line, line.status),
    ...identity(line),
    xRequestId: text(line.x_request_id_0),
  });
}

function kafka(line: Struct): Facts {
  const code = number(line.status_code);
  const request = kindOf(line) === "request";
  return stated({
    kind: kindOf(line),
    type: text(line.api_key),
    resource: request ? text(line.topic_name) : "",
    endpoint: request ? text(line.endpoint) : "",
    id: text(line.correlation_id),
    // -2: not read.
    code: code === -2 ? null : code,
    status: code === -2 ? "" : statusOf(line, line.status),
    ...identity(line),
  });
}

function memcached(line: Struct): Facts {
  const request = text(line.request);
  return stated({
    kind: kindOf(line),
    type: request.split(" ", 1)[0],
    resource: request,
    status: kindOf(line) === "response" && text(line.err_msg) === "" ? "ok" : "",
  });
}

function mongo(line: Struct): Facts {
  const command = /^\{ "([^"]+)"/.exec(text(line.request))?.[1];
  return stated({
    kind: kindOf(line),
    type: command,
    id: text(line.request_id),
    code: kindOf(line) === "response" ? number(line.response_code) : null,
    status: statusOf(line, line.status),
  });
}

function mqtt(line: Struct): Facts {
  const type = isStruct(line.pkt_type) ? "PUBLISH" : text(line.pkt_type);
  return stated({
    type,
    resource: text(line.publish_topic) || text(line.endpoint) || text(line.client_id),
    endpoint: text(line.endpoint),
    code: number(line.code),
  });
}

function mysql(line: Struct, before: Struct | null): Facts | null {
  // The greeting: ours go with the login.
  if (line.msg_type === "Other") return null;
  const request = kindOf(line) !== "response";
  // Nobody has asked again: a packet further on in the same answer.
  if (!request && kindOf(before ?? {}) === "response" && text(line.endpoint) === "") return null;
  const login = /^Login username: (\S*)(?: db: (\S+))?/.exec(text(line.request_resource));
  const command = number(line.request_type) ?? 0;
  return stated({
    kind: kindOf(line),
    type: login !== null ? "LOGIN" : request ? MYSQL_COMMANDS[command] : "",
    resource: login !== null ? login[1] : text(line.request_resource),
    domain: login?.[2],
    endpoint: request && login === null ? text(line.endpoint) : "",
    status: statusOf(line, line.response_status),
    ...identity(line),
  });
}

/** Of COM_QUERY and COM_STMT_EXECUTE the type is the statement's first word. */
const MYSQL_COMMANDS: Readonly<Record<number, string>> = { 1: "QUIT", 2: "INIT_DB" };

function nats(line: Struct): Facts {
  const message = struct(line.message);
  const name = text(message.$name) || text(line.message);
  return stated({
    kind: kindOf(line),
    type: name === "Error" ? "-ERR" : name === "Ok" ? "+OK" : name,
    resource: text(message.subject),
    ...identity(line),
  });
}

function openwire(line: Struct): Facts {
  const response = kindOf(line) === "response";
  return stated({
    kind: kindOf(line),
    type: text(line.command_type),
    resource: text(line.topic),
    id: kindOf(line) === "oneway" ? "" : text(response ? line.resp_command_id : line.command_id),
    status: statusOf(line, line.status),
    ...identity(line),
  });
}

function postgre(line: Struct): Facts {
  return stated({
    kind: kindOf(line),
    resource: text(line.context),
    status: statusOf(line, line.status),
    ...identity(line),
  });
}

function pulsar(line: Struct): Facts {
  const [name = ""] = Object.keys(struct(line.command)).filter((key) => key !== "type");
  return stated({
    kind: kindOf(line),
    type: PULSAR_NAMES[name] ?? name,
    endpoint: kindOf(line) === "response" ? "" : text(line.topic),
    domain: text(line.domain),
    id: text(line.request_id),
    ...identity(line),
  });
}

const PULSAR_NAMES: Readonly<Record<string, string>> = {
  partition_metadata: "PARTITIONED_METADATA",
  partition_metadata_response: "PARTITIONED_METADATA_RESPONSE",
  lookup_topic: "LOOKUP",
  lookup_topic_response: "LOOKUP_RESPONSE",
};

function redis(line: Struct): Facts | null {
  const request = text(line.request);
  if (request !== "") {
    return stated({ kind: "request", type: text(line.request_type), resource: request });
  }
  // The rest of a long reply.
  if (line.response_result === "Unknown") return null;
  return { kind: "response", status: text(line.error) === "" ? "ok" : "client_error" };
}

function rocketmq(line: Struct): Facts {
  const request = kindOf(line) === "request";
  return stated({
    kind: kindOf(line),
    type: text(line.req_code_name),
    resource: request ? text(line.ext_topic) : "",
    endpoint: request ? text(line.endpoint) : "",
    id: text(line.opaque),
    code: request ? null : number(line.resp_code),
    status: statusOf(line, line.status),
    ...identity(line),
  });
}

function sofarpc(line: Struct): Facts {
  return stated({
    kind: kindOf(line),
    type: text(line.method_name),
    resource: text(line.target_serv),
    id: text(line.req_id),
    code: number(line.resp_code),
    ...identity(line),
  });
}

function someIp(line: Struct): Facts {
  return stated({
    kind: text(line.request_type).toLowerCase(),
    resource: text(line.request_resource),
    endpoint: text(line.endpoint),
    id: `${text(line.client_id)} ${text(line.session_id)}`,
    code: number(line.response_code),
    status: line.request_type === "Response" ? text(line.response_status).toLowerCase() : "",
  });
}

function tars(line: Struct): Facts {
  const response = kindOf(line) === "response";
  return stated({
    kind: kindOf(line),
    type: text(line.req_method_name),
    resource: text(line.req_service_name),
    endpoint: response ? "" : text(line.endpoint),
    id: text(line.request_id),
    code: line.ret === "ServerSuccess" ? 0 : null,
    status: line.ret === "ServerSuccess" ? "ok" : "",
  });
}

function tls(line: Struct): Facts {
  const [first = ""] = (text(line.request_type) || text(line.response_result)).split("|");
  return stated({
    kind: kindOf(line),
    type: first,
    resource: text(line.request_resource),
    domain: text(line.request_domain),
    status: statusOf(line, line.status),
  });
}

function zmtp(line: Struct, before: Struct | null): Facts | null {
  // A greeting comes in pieces: the one that states the mechanism is the last.
  if (line.frame_type === "Greeting" && text(line.mechanism) === "") return null;
  // One message of several frames.
  if (line.frame_type === "Message" && before?.more_frames === true) return null;
  return stated({
    kind: kindOf(line),
    type: text(line.command_name) || text(line.frame_type),
    resource: text(line.subscription),
    status: kindOf(line) === "oneway" ? snake(text(line.status)) : statusOf(line, line.status),
  });
}

const snake = (name: string) => name.replaceAll(/\B[A-Z]/g, "_$&").toLowerCase();
