// SPDX-License-Identifier: Apache-2.0
// Orders of the demo shop: an ordinary Node service, with no trace of tracing in it.
// It finds the stock service by a DNS look-up and asks it over kept-alive connections.

import dns from "node:dns";
import http from "node:http";
import process from "node:process";

const { PORT, DNS_PORT } = process.env;
const resolver = new dns.promises.Resolver();
resolver.setServers([`127.0.0.1:${DNS_PORT}`]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/** Where the stock service runs now; asked again for every order, remembered for reading. */
async function findStock() {
  const [{ name, port }] = await resolver.resolveSrv("_stock._tcp.shop.test");
  const [host] = await resolver.resolve4(name);
  return { host, port };
}
let stock;

function ask(method, path, where) {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...where, method, path, agent }, (response) => {
      let body = "";
      response.on("data", (part) => body += part);
      response.on("end", () => resolve({ code: response.statusCode, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

async function answer(request) {
  const url = new URL(request.url, "http://shop");
  const id = url.pathname.split("/").at(-1);
  if (request.method === "POST") {
    const where = await findStock();
    const { code, body } = await ask("POST", `/reserve/${id}`, where);
    return { code: code === 200 ? 201 : code, body: `{"order":${body}}` };
  }
  stock ??= await findStock();
  if (url.pathname.startsWith("/search")) return await ask("GET", `/search${url.search}`, stock);
  const { code, body } = await ask("GET", `/stock/${id}`, stock);
  return { code, body: `{"product":${id},"stock":${body}}` };
}

const server = http.createServer(async (request, response) => {
  try {
    const { code, body } = await answer(request);
    response.writeHead(code, { "content-type": "application/json" }).end(body);
  } catch (error) {
    response.writeHead(502).end(JSON.stringify({ error: String(error) }));
  }
});
server.keepAliveTimeout = 60_000;
server.listen(Number(PORT), "127.0.0.1");
