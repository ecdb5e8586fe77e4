// SPDX-License-Identifier: Apache-2.0
// Unix sockets as ends of TCP connections: packets need addresses, paths are none.
//
// The server is at 127.64.0.0/10, by a hash of the path, at the port that the path names or that
// its kind of server has, so that dissectors know it. The client is at 127.128.0.0/9, numbered by
// its socket. No real traffic uses these addresses; a name record gives the path to readers.

import type { Connection } from "../../../model/connection.ts";
import type { IpEnd } from "./ip_packet.ts";

const PORTS: readonly (readonly [RegExp, number])[] = [
  [/mysql|maria/i, 3306],
  [/redis|valkey/i, 6379],
  [/postgres|pgsql/i, 5432],
  [/php|fpm|fastcgi|fcgi/i, 9000],
  [/memcache/i, 11211],
  [/mongo/i, 27017],
  [/docker|podman|containerd|http|nginx|gunicorn|snapd/i, 80],
];

const PORT_MIN = 1_024;
const CLIENT_PORT = 49_152;
const CLIENT_PORTS = 16_384;

/** The end with the path, which listens. */
export function unixServerEnd(path: string): IpEnd {
  const hash = hashOf(path);
  const ip = Uint8Array.of(127, 64 + (hash >>> 26), (hash >>> 16) & 0xff, (hash >>> 8) & 0xff);
  return { ip, port: portOf(path, hash) };
}

export function unixClientEnd({ cookie }: Pick<Connection, "cookie">): IpEnd {
  const number = BigInt.asUintN(37, cookie);
  const high = Number(number / BigInt(CLIENT_PORTS));
  const ip = Uint8Array.of(127, 128 + ((high >>> 16) & 0x7f), (high >>> 8) & 0xff, high & 0xff);
  return { ip, port: CLIENT_PORT + Number(number % BigInt(CLIENT_PORTS)) };
}

/** `.s.PGSQL.5432`, `mongodb-27017.sock`: some paths end in a port. */
function portOf(path: string, hash: number): number {
  const named = Number(/[.-](\d{2,5})(?:\.sock(?:et)?)?$/.exec(path)?.[1] ?? 0);
  if (named > 0 && named <= 0xffff) return named;
  const known = PORTS.find(([pattern]) => pattern.test(path));
  return known?.[1] ?? PORT_MIN + hash % (CLIENT_PORT - PORT_MIN);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}
