// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Conversation } from "../../tests/support/wire/conversation.ts";
import { spanIds } from "./span_id.ts";

Deno.test("ids differ by boot, socket, observer, direction and offset, and by nothing else", () => {
  const seen = new Set<bigint>();
  let count = 0;
  for (const boot of ["boot", "toob"]) {
    for (const cookie of [1n, 2n, 1n << 33n]) {
      for (const observer of ["process", "nic"] as const) {
        const { connection } = new Conversation({ cookie, observer });
        const ids = spanIds(boot, connection);
        for (const direction of ["ingress", "egress"] as const) {
          for (const offset of [0, 1, 2, 1000, 2 ** 31, 2 ** 32, 2 ** 40 + 1]) {
            const id = ids.of(direction, offset);
            assert.equal(id, spanIds(boot, { ...connection, conn: 9 }).of(direction, offset));
            assert.ok(id > 0n && id < 1n << 64n);
            seen.add(id);
            count++;
          }
        }
      }
    }
  }
  assert.equal(seen.size, count);
});

Deno.test("ids of neighbouring offsets do not collide", () => {
  const ids = spanIds("boot", new Conversation().connection);
  const seen = new Set<bigint>();
  for (let offset = 0; offset < 100_000; offset++) seen.add(ids.of("egress", offset * 37));
  assert.equal(seen.size, 100_000);
});
