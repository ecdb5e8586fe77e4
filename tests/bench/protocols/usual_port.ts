// SPDX-License-Identifier: Apache-2.0
// The port on which servers of a protocol usually listen: dissectors choose by it.

/** 9999 where there is no usual one. */
export function portOf(protocol: string): number {
  return PORTS[protocol] ?? 9_999;
}

const PORTS: Readonly<Record<string, number>> = {
  amqp: 5_672,
  amqp1: 5_672,
  brpc: 8_000,
  cassandra: 9_042,
  clickhouse: 9_000,
  dhcp: 67,
  dns: 53,
  dubbo: 20_880,
  fastcgi: 9_000,
  ftp: 21,
  http: 80,
  http2: 80,
  ibmmq: 1_414,
  imap: 143,
  iso8583: 5_000,
  kafka: 9_092,
  ldap: 389,
  memcached: 11_211,
  mongodb: 27_017,
  mqtt: 1_883,
  mssql: 1_433,
  mysql: 3_306,
  nats: 4_222,
  ntp: 123,
  openwire: 61_616,
  oracle: 1_521,
  pop3: 110,
  postgresql: 5_432,
  pulsar: 6_650,
  radius: 1_812,
  redis: 6_379,
  rocketmq: 10_911,
  sip: 5_060,
  smtp: 25,
  snmp: 161,
  sofarpc: 12_200,
  someip: 30_490,
  stomp: 61_613,
  tars: 10_015,
  thrift: 9_090,
  tls: 443,
  websocket: 80,
  zmtp: 5_555,
};
