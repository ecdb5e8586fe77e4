// SPDX-License-Identifier: Apache-2.0
// TLS by Node, to nginx: versions 1.2 and 1.3, with and without a name and protocols, a refusal.

import process from "node:process";
import tls from "node:tls";

const where = { host: "127.0.0.1", port: Number(process.env.PORT), rejectUnauthorized: false };
const ask = (options) =>
  new Promise((resolve) => {
    const socket = tls.connect({ ...where, ...options }, () => {
      socket.write("GET /hello HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    });
    socket.on("data", () => {});
    socket.on("close", resolve);
    socket.on("error", resolve);
  });

const servername = "shop.test";
await ask({ servername, ALPNProtocols: ["http/1.1"], maxVersion: "TLSv1.3" });
await ask({ servername, ALPNProtocols: ["http/1.1"], maxVersion: "TLSv1.2" });
await ask({ maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES256-GCM-SHA384" });
await ask({ servername: "other.test", minVersion: "TLSv1.3" });
await ask({ servername, maxVersion: "TLSv1.2", ciphers: "PSK-AES256-CBC-SHA" });
