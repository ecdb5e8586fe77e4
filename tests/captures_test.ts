// SPDX-License-Identifier: Apache-2.0
// Captures of real traffic with what another decoder made of them (DeepFlow's, Apache-2.0), where
// SPANDREL_CAPTURES names a folder that holds them: http/*.pcap with *.result beside, redis/ …
//
// Compared is what both state: kind, type, resource, domain, code, status, ids. The other decoder
// sees packets one by one, without reassembly.

import assert from "node:assert/strict";
import type { Message } from "../model/message.ts";
import { runCapture } from "./support/wire/capture_run.ts";
import { type Expected, parseResult } from "./support/wire/capture_result.ts";

const folder = Deno.env.get("SPANDREL_CAPTURES") ?? "";

/** Files whose result we do not repeat, with the reason. */
const DIFFERENT: Readonly<Record<string, string>> = {};

const PROTOCOLS = ["http", "redis"] as const;

for (const protocol of PROTOCOLS) {
  Deno.test({
    name: `captures: ${protocol} (set SPANDREL_CAPTURES to run)`,
    ignore: folder === "",
    async fn(t) {
      for (const { name } of [...Deno.readDirSync(`${folder}/${protocol}`)]) {
        if (!name.endsWith(".result") || DIFFERENT[name] !== undefined) continue;
        const path = `${folder}/${protocol}/${name.replace(/\.result$/, "")}`;
        const expected = parseResult(protocol, Deno.readTextFileSync(`${path}.result`));
        if (expected.length === 0) continue;
        await t.step(name, async () => {
          const messages = await runCapture(`${path}.pcap`, protocol);
          assert.deepEqual(messages.map((each, i) => common(each, expected[i])), expected);
        });
      }
    },
  });
}

/** Of a message, the properties that the other decoder states. */
function common(message: Message, expected: Expected | undefined): Expected {
  const { kind, type, resource, domain, code, status, identity } = message;
  const ours: Expected = {
    kind,
    type,
    resource,
    domain,
    code,
    status,
    traceId: identity?.traceId,
    parentId: identity?.parentId,
    requestId: identity?.requestId,
  };
  const names = Object.keys(expected ?? ours) as (keyof Expected)[];
  return Object.fromEntries(names.map((name) => [name, ours[name]]));
}
