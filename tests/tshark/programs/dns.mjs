// SPDX-License-Identifier: Apache-2.0
// DNS by Node's resolver: several types, names that do not exist, and the same over TCP by hand.

import { Resolver } from "node:dns/promises";
import net from "node:net";
import process from "node:process";

const port = Number(process.env.PORT);
const resolver = new Resolver({ timeout: 1_000, tries: 1 });
resolver.setServers([`127.0.0.1:${port}`]);
const ask = (name, type) => resolver.resolve(name, type).catch(() => {});

await ask("shop.test", "A");
await ask("shop.test", "AAAA");
await ask("other.test", "A");
await ask("missing.test", "A");
await ask("alias.test", "CNAME");
await ask("shop.test", "MX");
await ask("txt.test", "TXT");
await ask("_http._tcp.test", "SRV");
await ask("1.0.0.10.in-addr.arpa", "PTR");
await Promise.all([ask("shop.test", "A"), ask("other.test", "AAAA"), ask("shop.test", "TXT")]);

const question = (id, name) =>
  Buffer.concat([
    Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0, 0, 1, 0, 1]),
  ]);
await new Promise((resolve) => {
  const socket = net.connect(port, "127.0.0.1", () => {
    for (const [id, name] of [[7, "shop.test"], [8, "missing.test"]]) {
      const bytes = question(id, name);
      socket.write(Buffer.concat([Buffer.from([0, bytes.length]), bytes]));
    }
  });
  let got = 0;
  socket.on("data", (bytes) => {
    got += bytes.length;
    if (got > 60) socket.end();
  });
  socket.on("close", resolve);
});
