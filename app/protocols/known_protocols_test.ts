// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { unmasked } from "../../operators/wire/unmasked.ts";
import { runGolden } from "../../tests/support/wire/golden_run.ts";
import { knownProtocols } from "./known_protocols.ts";

const SHOP = `
export default {
  name: "shop",
  spec: "https://example.org/",
  fields: {
    shop_operation: { type: "string", doc: "operation" },
    order_total: { type: "number", doc: "total" },
  },
  path: /^\\/rpc$/,
  body: true,
  answer: { order_total: /"total":(\\d+)/g },
  refine({ body }) {
    const shop_operation = /"method":"(\\w+)"/.exec(body)?.[1];
    return { endpoint: "shop " + shop_operation, fields: { shop_operation } };
  },
};
`;

const call = (up: boolean, text: string) => {
  const bytes = new TextEncoder().encode(text);
  return { kind: "call", up, bytes, length: bytes.length } as const;
};

Deno.test("a refinement of the user's own: fields of request and answer", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, SHOP);
    const known = await knownProtocols({ protocolFile: [path] });
    const http = known.find(({ name }) => name === "http");
    assert.ok(http !== undefined);
    assert.equal(http.fields.order_total.type, "number");
    const asked = '{"method":"take"}', answered = '{"total":42}';
    const steps = [
      call(true, `POST /rpc HTTP/1.1\r\nContent-Length: ${asked.length}\r\n\r\n${asked}`),
      call(false, `HTTP/1.1 200 OK\r\nContent-Length: ${answered.length}\r\n\r\n${answered}`),
    ];
    for (const protocol of [http, unmasked(http)]) {
      const [request, response] = runGolden(protocol, "tcp", steps).lines.map((line) =>
        JSON.parse(line)
      );
      assert.equal(request.endpoint, "shop take");
      assert.equal(request.fields.shop_operation, "take");
      assert.equal(response.fields.order_total, 42);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a refinement that lacks something is refused by name", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, "export default { name: 'x', spec: '', refine() {} };");
    await assert.rejects(knownProtocols({ protocolFile: [path] }), /its fields is undefined/);
  } finally {
    await Deno.remove(path);
  }
});
