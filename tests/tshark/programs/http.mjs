// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over one connection that is kept, to nginx: methods, bodies, codes, headers, chunks.

import http from "node:http";
import process from "node:process";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ask = (method, path, headers = {}, body = "") =>
  new Promise((resolve, reject) => {
    const to = { host: "127.0.0.1", port: Number(process.env.PORT), agent, method, path };
    const request = http.request({ ...to, headers }, (response) => {
      response.resume();
      response.on("end", resolve);
    });
    request.on("error", reject);
    request.end(body);
  });

await ask("GET", "/hello?name=a%20b&x=1", { "user-agent": "test/1", referer: "http://from.test/" });
await ask("GET", "/users/42", {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "x-request-id": "req-7",
});
await ask(
  "POST",
  "/orders",
  { "content-type": "application/json", "content-length": 8 },
  '{"id":1}',
);
await ask("PUT", "/orders/1", { "transfer-encoding": "chunked" }, "z".repeat(5_000));
await ask("HEAD", "/hello");
await ask("DELETE", "/orders/1");
await ask("OPTIONS", "/orders");
await ask("GET", "/missing");
await ask("GET", "/moved");
await ask("GET", "/broken");
await ask("GET", "/big");
await ask("GET", "/chunked");
await ask("PATCH", "/orders/1", { "content-length": 0 });
agent.destroy();
