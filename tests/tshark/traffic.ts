// SPDX-License-Identifier: Apache-2.0
// Traffic to compare on: a real server and a client library that speak to each other on loopback.

import { type Child, runToEnd, startChild } from "../support/child.ts";
import { isListening } from "../support/ports.ts";
import type { Need } from "../support/requirements.ts";
import { startDnsmasq } from "../support/servers/dnsmasq.ts";
import { startMariadb } from "../support/servers/mariadb.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { startRedis } from "../support/servers/redis.ts";
import {
  startKafkaMock,
  startMemcached,
  startMosquitto,
  startNats,
  startPhp,
  startRabbitmq,
  startTls,
} from "./servers.ts";

export interface TrafficServer extends AsyncDisposable {
  /** Where it listens, if it chose by itself. */
  readonly chosenPort?: number;
}

export interface Traffic {
  /** Names the capture; letters, digits and dashes. */
  readonly name: string;
  /** Our name of the protocol. */
  readonly protocol: string;
  readonly needs: readonly Need[];
  readonly packages: readonly string[];
  /** A server on the port; the port above or below may be used as well. */
  readonly start: (port: number, modules: string) => Promise<TrafficServer>;
  /** Uses it, to the end. */
  readonly use: (port: number, modules: string) => Promise<void>;
  /** What is recorded, as options of `record`; the port of the server if absent. */
  readonly record?: (port: number) => readonly string[];
}

const programs = new URL("programs/", import.meta.url).pathname;

/** Produces with keys, headers and compression, consumes alone and in a group. */
async function useKcat(port: number): Promise<void> {
  const kcat = (line: string, input = "") =>
    runToEnd("sh", {
      args: ["-c", `printf '${input}' | timeout 20 kcat -q -b 127.0.0.1:${port} ${line}`],
    });
  const trace = "traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await kcat(`-P -t orders -p 0 -K : -H ${trace}`, "1:pen\\n2:ink\\n");
  await kcat("-P -t orders -p 1 -z gzip -X acks=all", "x".repeat(2_000));
  await kcat("-P -t payments -X acks=0", "one\\n");
  await kcat("-C -t orders -p 0 -o beginning -e");
  await kcat("-C -t orders -p 0 -o 99 -e -X auto.offset.reset=earliest");
  await kcat("-L -t orders");
  await kcat("-G readers orders -e -X auto.offset.reset=earliest");
}

/** A program of this folder, by Node. */
const client =
  (file: string, env: Readonly<Record<string, string>> = {}): Traffic["use"] =>
  async (port, MODULES) => {
    const all = { ...env, MODULES, PORT: `${port}` };
    await runToEnd("node", { args: [`${programs}${file}`], env: all });
  };

const server =
  (file: string, env: Readonly<Record<string, string>> = {}): Traffic["start"] =>
  (port, MODULES): Promise<Child> =>
    startChild("node", {
      args: [`${programs}${file}`],
      env: { ...env, MODULES, PORT: `${port}`, SERVER: "yes" },
      ready: async () => await isListening(port) || await isListening(port, { transport: "udp" }),
    });

/** A program that is client and server. */
function nodeBoth(
  protocol: string,
  packages: readonly string[],
  mode = "",
  env: Readonly<Record<string, string>> = {},
): Traffic {
  const file = `${protocol}.mjs`;
  const name = mode === "" ? protocol : `${protocol}-${mode}`;
  return { name, protocol, needs: [], packages, start: server(file, env), use: client(file, env) };
}

const ROUTES = `
  location = /missing { return 404 "none\\n"; }
  location = /moved { return 302 /hello; }
  location = /broken { return 500; }
  location = /big { return 200 "${"0123456789".repeat(350)}"; }
  location / { return 200 "hello\\n"; }
`;

const CHUNKED = `
  location = /chunked { proxy_pass http://127.0.0.1:PORT/hello; proxy_http_version 1.0; }
`;

const ADDRESSES = { "shop.test": "10.0.0.1", "other.test": "10.0.0.2" };

export const TRAFFIC: readonly Traffic[] = [
  {
    name: "redis",
    protocol: "redis",
    needs: ["redis"],
    packages: ["ioredis@5"],
    start: (port) => startRedis({ port }),
    use: client("redis.mjs"),
  },
  {
    name: "postgresql",
    protocol: "postgresql",
    needs: ["postgres"],
    packages: ["pg@8"],
    start: (port) => startPostgres({ port }),
    use: client("postgresql.mjs"),
  },
  ...(["plain", "compressed"] as const).map((mode): Traffic => ({
    name: `mysql-${mode}`,
    protocol: "mysql",
    needs: ["mariadb"],
    packages: ["mysql2@3"],
    start: (port) => startMariadb({ port }),
    use: client("mysql.mjs", { COMPRESS: mode === "compressed" ? "yes" : "no" }),
  })),
  ...(["text", "binary"] as const).map((mode): Traffic => ({
    name: `memcached-${mode}`,
    protocol: "memcached",
    needs: ["memcached"],
    packages: ["memjs@1", "memcached@2"],
    start: startMemcached,
    use: client("memcached.mjs", { BINARY: mode === "binary" ? "yes" : "no" }),
  })),
  {
    name: "amqp",
    protocol: "amqp",
    needs: ["rabbitmq"],
    packages: ["amqplib@0.10"],
    start: startRabbitmq,
    use: client("amqp.mjs"),
  },
  ...(["4", "5"] as const).map((version): Traffic => ({
    name: `mqtt-${version}`,
    protocol: "mqtt",
    needs: ["mosquitto"],
    packages: ["mqtt@5"],
    start: startMosquitto,
    use: client("mqtt.mjs", { VERSION: version }),
  })),
  {
    name: "nats",
    protocol: "nats",
    needs: ["nats"],
    packages: ["nats@2"],
    start: startNats,
    use: client("nats.mjs"),
  },
  {
    name: "http",
    protocol: "http",
    needs: ["nginx"],
    packages: [],
    start: (port) => {
      const chunked = CHUNKED.replace("PORT", `${port}`);
      return startNginx({ port, server: chunked + ROUTES });
    },
    use: client("http.mjs"),
  },
  {
    name: "http2",
    protocol: "http2",
    needs: ["nginx"],
    packages: [],
    start: (port) => startNginx({ port: port + 1, server: `listen ${port} http2;${ROUTES}` }),
    use: client("http2.mjs"),
  },
  {
    name: "grpc",
    protocol: "http2",
    needs: [],
    packages: ["@grpc/grpc-js@1"],
    start: server("grpc.mjs"),
    use: client("grpc.mjs"),
  },
  {
    name: "mongodb",
    protocol: "mongodb",
    needs: [],
    packages: ["mongodb@6", "bson@6"],
    start: server("mongodb.mjs"),
    use: client("mongodb.mjs"),
  },
  nodeBoth("websocket", ["ws@8"]),
  nodeBoth("smtp", ["nodemailer@6", "smtp-server@3"]),
  nodeBoth("amqp1", ["rhea@3"]),
  nodeBoth("ftp", ["basic-ftp@5", "ftp-srv@4"]),
  nodeBoth("ldap", ["ldapjs@3"]),
  nodeBoth("snmp", ["net-snmp@3"]),
  nodeBoth("thrift", ["thrift@0.20"], "binary"),
  nodeBoth("thrift", ["thrift@0.20"], "framed", { FRAMED: "yes" }),
  nodeBoth("thrift", ["thrift@0.20"], "compact", { FRAMED: "yes", COMPACT: "yes" }),
  {
    name: "tls",
    protocol: "tls",
    needs: ["nginx"],
    packages: [],
    start: startTls,
    use: client("tls.mjs"),
  },
  {
    name: "kafka",
    protocol: "kafka",
    needs: ["kcat"],
    packages: [],
    start: startKafkaMock,
    use: useKcat,
  },
  {
    name: "dns",
    protocol: "dns",
    needs: ["dnsmasq"],
    packages: [],
    start: (port) =>
      startDnsmasq({
        port,
        addresses: ADDRESSES,
        settings: [
          "--cname=alias.test,shop.test",
          "--mx-host=shop.test,mail.shop.test,10",
          "--txt-record=txt.test,one text",
          "--srv-host=_http._tcp.test,shop.test,80,1,2",
          "--ptr-record=1.0.0.10.in-addr.arpa,shop.test",
        ],
      }),
    use: client("dns.mjs"),
  },
  {
    name: "fastcgi",
    protocol: "fastcgi",
    needs: ["nginx", "php"],
    packages: [],
    start: startPhp,
    use: client("http.mjs"),
    record: (port) => ["--port", `${port - 1}`],
  },
];
