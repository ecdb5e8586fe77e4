// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { closeOnce, sentenceOf } from "./trace_store.ts";

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

Deno.test("what the store says is told as a sentence with a remedy", () => {
  assert.equal(sentenceOf(undefined, "a.db"), "");
  assert.equal(sentenceOf("Cannot do it: no", "a.db"), "Cannot do it: no");
  assert.equal(
    sentenceOf("the disk is full", "a.db"),
    "Cannot store spans in a.db: the disk is full; free space there, or keep less with --keep",
  );
  assert.equal(
    sentenceOf("out of memory", undefined),
    "Cannot store spans in memory: out of memory",
  );
});
