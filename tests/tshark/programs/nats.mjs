// SPDX-License-Identifier: Apache-2.0
// NATS by its client: publish, subscribe, request and reply, headers, a queue group.

import { createRequire } from "node:module";
import process from "node:process";

const nats = createRequire(`${process.env.MODULES}/`)("nats");
const connection = await nats.connect({ servers: `127.0.0.1:${process.env.PORT}` });
connection.subscribe("orders.*", { callback: () => {} });
connection.subscribe("time", { queue: "q", callback: (_error, m) => m.respond("noon") });
connection.publish("orders.new", "one");
const headers = nats.headers();
headers.set("Nats-Msg-Id", "7");
connection.publish("orders.paid", "two", { headers });
await connection.request("time", "?");
await connection.request("nobody", "?", { timeout: 500 }).catch(() => {});
await connection.flush();
await connection.drain();
