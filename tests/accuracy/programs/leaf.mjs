// SPDX-License-Identifier: Apache-2.0
// The HTTP end of the accuracy suite: answers every request after a while, 0 to about 20 ms.

import http from "node:http";
import process from "node:process";

const meanMs = 3;

const server = http.createServer((_request, response) => {
  const delayMs = Math.min(20, -meanMs * Math.log(1 - Math.random()));
  setTimeout(() => {
    response.writeHead(200, { "content-length": 4 }).end("leaf");
  }, delayMs);
});
server.keepAliveTimeout = 60_000;
server.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 512 });
