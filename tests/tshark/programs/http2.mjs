// SPDX-License-Identifier: Apache-2.0
// HTTP/2 without TLS over one session: requests one after the other, many at once, bodies, codes.

import http2 from "node:http2";
import process from "node:process";

const session = http2.connect(`http://127.0.0.1:${process.env.PORT}`);
const ask = (method, path, headers = {}, body = "") =>
  new Promise((resolve, reject) => {
    const all = { ":method": method, ":path": path, ...headers };
    const stream = session.request(all, { endStream: body === "" });
    stream.resume();
    stream.on("end", resolve);
    stream.on("error", reject);
    if (body !== "") stream.end(body);
  });

await ask("GET", "/hello?name=a", { "user-agent": "test/1" });
await ask("GET", "/users/42", {
  "user-agent": "test/1",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "x-request-id": "req-7",
});
await ask("POST", "/orders", { "content-type": "application/json" }, '{"id":1}');
await Promise.all(["/a", "/b", "/c", "/d"].map((path) => ask("GET", path)));
await ask("HEAD", "/hello");
await ask("GET", "/missing");
await ask("GET", "/moved");
await ask("GET", "/broken");
await ask("GET", "/big");
await ask("PUT", "/orders/1", { "content-type": "text/plain" }, "z".repeat(5_000));
session.close();
