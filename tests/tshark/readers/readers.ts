// SPDX-License-Identifier: Apache-2.0
// Every protocol that tshark is asked about, by our name of it.

import type { SharkReader } from "../shark_message.ts";
import { amqp } from "./messaging/amqp.ts";
import { amqp1 } from "./messaging/amqp1.ts";
import { ftp } from "./mail/ftp.ts";
import { dhcp } from "./dhcp.ts";
import { imap } from "./mail/imap.ts";
import { ntp } from "./ntp.ts";
import { pop3 } from "./mail/pop3.ts";
import { radius } from "./radius.ts";
import { sip } from "./sip.ts";
import { dns } from "./dns.ts";
import { fastcgi } from "./fastcgi.ts";
import { http } from "./http.ts";
import { http2 } from "./http2.ts";
import { kafka } from "./messaging/kafka.ts";
import { ldap } from "./ldap.ts";
import { memcached } from "./databases/memcached.ts";
import { mongodb } from "./databases/mongodb.ts";
import { mqtt } from "./messaging/mqtt.ts";
import { mysql } from "./databases/mysql.ts";
import { postgresql } from "./databases/postgresql.ts";
import { redis } from "./databases/redis.ts";
import { smtp } from "./mail/smtp.ts";
import { snmp } from "./snmp.ts";
import { thrift } from "./thrift.ts";
import { tls } from "./tls.ts";
import { websocket } from "./websocket.ts";

export const READERS: readonly SharkReader[] = [
  amqp,
  amqp1,
  dhcp,
  imap,
  ntp,
  pop3,
  radius,
  sip,
  dns,
  fastcgi,
  ftp,
  http,
  http2,
  kafka,
  ldap,
  memcached,
  mongodb,
  mqtt,
  mysql,
  postgresql,
  redis,
  smtp,
  snmp,
  thrift,
  tls,
  websocket,
];

export const readerOf = (protocol: string): SharkReader | undefined =>
  READERS.find((reader) => reader.protocol === protocol);
