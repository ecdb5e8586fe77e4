// SPDX-License-Identifier: Apache-2.0
// OpenTelemetry names: what a span's columns are called in its semantic conventions.
//
// Protocol fields carry their own names (`otel` in each protocol's file); here is what is common to
// all spans and to the families of protocols. Names of our own begin with "spandrel.".

import type { AttributeValue } from "../../model/message.ts";
import { isDelivered } from "../../model/queues/envelope.ts";
import type { Span } from "../../model/span.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";

export type OtelAttributes = Record<string, AttributeValue>;

type Family = "http" | "db" | "rpc" | "messaging" | "dns" | "other";

const FAMILIES: Readonly<Record<string, Family>> = {
  http: "http",
  http2: "http",
  grpc: "rpc",
  redis: "db",
  postgresql: "db",
  mysql: "db",
  mongodb: "db",
  memcached: "db",
  cassandra: "db",
  kafka: "messaging",
  amqp: "messaging",
  mqtt: "messaging",
  nats: "messaging",
  amqp1: "messaging",
  pulsar: "messaging",
  rocketmq: "messaging",
  openwire: "messaging",
  stomp: "messaging",
  ibmmq: "messaging",
  dns: "dns",
};

/** Attributes of the thing that made the span: one resource per service. */
export function resourceAttributes(span: Span): OtelAttributes {
  return present({
    "service.name": span.service || span.process || "unknown_service",
    "host.name": span.host,
    "process.executable.name": span.process,
    "process.executable.path": span.exe,
    "container.id": span.container,
  });
}

/** Attributes of the span itself. */
export function spanAttributes(span: Span): OtelAttributes {
  const family = FAMILIES[span.protocol] ?? "other";
  return present({
    ...addresses(span),
    ...familyAttributes(span, family),
    ...protocolFields(span),
    ...(isError(span) ? { "error.type": String(span.response_code ?? span.status) } : {}),
    "process.pid": span.pid,
    "thread.id": span.tid,
    "spandrel.observer": span.observer,
    "spandrel.status": span.status,
    "spandrel.shape": span.shape,
    "spandrel.link.evidence": span.link_evidence,
    ...(span.link_evidence === "" ? {} : { "spandrel.link.confidence": span.link_confidence }),
    "spandrel.bytes.request": span.bytes_request,
    "spandrel.bytes.response": span.bytes_response,
    ...(span.clipped ? { "spandrel.clipped": true } : {}),
    ...(span.is_tls ? { "spandrel.tls": true } : {}),
  });
}

/** A server is not to blame for what its client did wrong. */
export function isError({ status, kind }: Span): boolean {
  if (status === "ok" || status === "unknown") return false;
  return status !== "client_error" || kind !== "server";
}

function addresses(span: Span): OtelAttributes {
  const [local, peer] = [split(span.local), split(span.peer)];
  const isClient = span.kind === "client" || span.kind === "producer";
  const [client, server] = isClient ? [local, peer] : [peer, local];
  return {
    "network.transport": span.transport,
    "network.protocol.name": span.protocol,
    "network.local.address": local.address,
    "network.local.port": local.port,
    "network.peer.address": peer.address,
    "network.peer.port": peer.port,
    "client.address": client.address,
    "client.port": client.port,
    "server.address": server.address,
    "server.port": server.port,
  };
}

/** "127.0.0.1:80", "[::1]:80", "/run/x.sock". */
function split(text: string): { address: string; port: number } {
  const [, ip6, ip4 = text, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  return { address: ip6 ?? ip4, port: Number(port ?? 0) };
}

function familyAttributes(span: Span, family: Family): OtelAttributes {
  const code = span.response_code === null ? "" : String(span.response_code);
  switch (family) {
    case "http": {
      const [path = "", query = ""] = span.resource.split(/\?(.*)/s);
      return {
        "http.request.method": span.request_type,
        "url.path": path,
        "url.query": query,
        ...(span.domain === "" ? {} : { "server.address": span.domain.replace(/:\d+$/, "") }),
        ...(span.response_code === null ? {} : { "http.response.status_code": span.response_code }),
      };
    }
    case "db":
      return {
        "db.system.name": span.protocol,
        "db.namespace": span.domain,
        "db.operation.name": span.request_type,
        "db.query.text": span.resource,
        "db.query.summary": span.endpoint,
        "db.response.status_code": code,
      };
    case "rpc":
      return { "rpc.system.name": span.protocol, "rpc.method": span.endpoint };
    case "messaging":
      return {
        "messaging.system": SYSTEMS[span.protocol] ?? span.protocol,
        "messaging.operation.name": span.request_type,
        ...operationType(span),
        "messaging.destination.name": span.resource,
      };
    case "dns":
      return { "dns.question.name": span.resource };
    case "other":
      return { "spandrel.request.type": span.request_type, "spandrel.resource": span.resource };
  }
}

/** Where a protocol is named otherwise than the brokers that speak it. */
const SYSTEMS: Readonly<Record<string, string>> = {
  amqp: "rabbitmq",
  openwire: "activemq",
};

/** Of the two ends; what a broker does with messages has no name. */
function operationType({ message_key, kind }: Span): OtelAttributes {
  if (message_key === null) return {};
  const isSent = kind === "producer" || kind === "client";
  if (isDelivered(BigInt(message_key)) === isSent) return {};
  return { "messaging.operation.type": isSent ? "send" : "process" };
}

/** The protocol's fields under their OpenTelemetry names, or under the protocol's. */
function protocolFields({ protocol, attributes }: Span): OtelAttributes {
  const fields = PROTOCOLS.find(({ name }) => name === protocol)?.fields ?? {};
  const named = Object.entries(attributes).map(([name, value]) => {
    const otel: unknown = fields[name]?.otel;
    return [typeof otel === "string" ? otel : `${protocol}.${name}`, value] as const;
  });
  return Object.fromEntries(named);
}

/** Without what is not known: empty texts and port 0. */
function present(attributes: OtelAttributes): OtelAttributes {
  const known = Object.entries(attributes).filter(([name, value]) =>
    value !== "" && !(value === 0 && name.endsWith(".port"))
  );
  return Object.fromEntries(known);
}
