// SPDX-License-Identifier: Apache-2.0
// The protocols that a user means by a name: that of the registry, or another it goes by.

import type { AnyProtocol, Registry } from "../../operators/wire/registry.ts";

/** By all names in use. Of several, the first one is meant unless another fits better. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  http: ["http", "http2", "websocket"],
  http1: ["http"],
  https: ["tls"],
  ssl: ["tls"],
  h2: ["http2"],
  grpc: ["http2"],
  triple: ["http2"],
  mariadb: ["mysql"],
  postgres: ["postgresql"],
  postgre: ["postgresql"],
  pgsql: ["postgresql"],
  mongo: ["mongodb"],
  cql: ["cassandra"],
  some_ip: ["someip"],
  "some/ip": ["someip"],
  bolt: ["sofarpc"],
  resp: ["redis"],
  memcache: ["memcached"],
  rabbitmq: ["amqp"],
  activemq: ["openwire"],
  zeromq: ["zmtp"],
};

/** Empty where nothing goes by the name. */
export function namedProtocols(name: string, registry: Registry): AnyProtocol[] {
  return (NAMES[name] ?? [name]).flatMap((each) => registry.byName(each) ?? []);
}
