// SPDX-License-Identifier: Apache-2.0
// Every protocol that tshark is asked about, by our name of it.

import type { SharkReader } from "../shark_message.ts";
import { amqp } from "./amqp.ts";
import { dns } from "./dns.ts";
import { fastcgi } from "./fastcgi.ts";
import { http } from "./http.ts";
import { http2 } from "./http2.ts";
import { kafka } from "./kafka.ts";
import { memcached } from "./memcached.ts";
import { mongodb } from "./mongodb.ts";
import { mqtt } from "./mqtt.ts";
import { mysql } from "./mysql.ts";
import { postgresql } from "./postgresql.ts";
import { redis } from "./redis.ts";

export const READERS: readonly SharkReader[] = [
  amqp,
  dns,
  fastcgi,
  http,
  http2,
  kafka,
  memcached,
  mongodb,
  mqtt,
  mysql,
  postgresql,
  redis,
];

export const readerOf = (protocol: string): SharkReader | undefined =>
  READERS.find((reader) => reader.protocol === protocol);
