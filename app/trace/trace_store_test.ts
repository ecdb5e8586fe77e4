// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { closeOnce } from "./trace_store.ts";

Deno.test("closeOnce: closes once, and waits for it", async () => {
  const closing = Promise.withResolvers<void>();
  let calls = 0;
  const close = closeOnce(() => (calls++, closing.promise), () => assert.fail("not late"));
  const both = [close(), close(60_000)];
  closing.resolve();
  await Promise.all(both);
  assert.equal(calls, 1);
});

Deno.test("closeOnce: after a limit no one waits for what never closes", async () => {
  let late = 0;
  const close = closeOnce(() => new Promise<void>(() => {}), () => late++);
  const patient = close();
  await close(1);
  await patient;
  await close();
  assert.equal(late, 1);
});
