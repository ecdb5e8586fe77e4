// SPDX-License-Identifier: Apache-2.0
// What counts as right, wrong, merged, uncertain and missing.

import assert from "node:assert/strict";
import type { SpanLine } from "../../support/spandrel.ts";
import { readCallLog, scoreSpans, tokenIn } from "./score_spans.ts";

const [first, second, a, b] = ["0000000000f1", "0000000000f2", "00000000000a", "00000000000b"];

/** Two requests, with one call each: load → program → end. */
function spansOf({ parentOfB, confidenceOfB }: {
  readonly parentOfB: string | null;
  readonly confidenceOfB: number;
}): SpanLine[] {
  const span = (
    span_id: string,
    kind: string,
    token: string,
    parent_span_id: string | null,
    link_confidence = 1,
  ): SpanLine => ({
    ...{ span_id, kind, parent_span_id, link_confidence },
    ...{ resource: `/r/${token}`, link_evidence: "thread" },
  });
  return [
    span("load 1", "client", first, null),
    span("load 2", "client", second, null),
    span("work 1", "server", first, "load 1"),
    span("work 2", "server", second, "load 2"),
    span("call a", "client", a, "work 1"),
    span("call b", "client", b, parentOfB, confidenceOfB),
  ];
}

const log = readCallLog(`${first} ${a}\n${second} ${b}\n`);
const roots = new Set([first, second]);

function counts(parentOfB: string | null, confidenceOfB: number) {
  const score = scoreSpans(spansOf({ parentOfB, confidenceOfB }), log, roots);
  const { right, wrong, merged, uncertain, missing, tracesRight } = score;
  assert.equal(score.calls, 2);
  assert.deepEqual([score.hops, score.hopsRight, score.traces], [2, 2, 2]);
  return { right, wrong, merged, uncertain, missing, tracesRight };
}

const none = { right: 1, wrong: 0, merged: 0, uncertain: 0, missing: 0, tracesRight: 1 };

Deno.test("score: a call under its own request is right", () => {
  assert.deepEqual(counts("work 2", 0.99), { ...none, right: 2, tracesRight: 2 });
});

Deno.test("score: a call under a request of another trace is a wrong merge", () => {
  assert.deepEqual(counts("work 1", 0.99), { ...none, merged: 1 });
});

Deno.test("score: below the threshold a link is uncertain, be it right or not", () => {
  assert.deepEqual(counts("work 1", 0.4), { ...none, uncertain: 1 });
  assert.deepEqual(counts("work 2", 0.4), { ...none, uncertain: 1 });
});

Deno.test("score: a call without a parent is missing", () => {
  assert.deepEqual(counts(null, 0), { ...none, missing: 1 });
});

Deno.test("score: a call that was not seen is missing, and counted as unseen", () => {
  const spans = spansOf({ parentOfB: "work 2", confidenceOfB: 1 }).slice(0, -1);
  const score = scoreSpans(spans, log, roots);
  assert.deepEqual([score.right, score.missing, score.unseen], [1, 1, 1]);
});

Deno.test("score: links below a wrong parent of the same trace are wrong, and no merge", () => {
  const deeper = readCallLog(`${first} ${a}\n${a} ${b}\n`);
  const spans = [
    ...spansOf({ parentOfB: "work 1", confidenceOfB: 0.99 }),
    { ...spansOf({ parentOfB: null, confidenceOfB: 0 })[4], span_id: "work a", kind: "server" },
  ] as SpanLine[];
  const score = scoreSpans(spans, deeper, new Set([first]));
  assert.deepEqual([score.calls, score.right, score.wrong, score.merged], [2, 1, 1, 0]);
});

Deno.test("score: what a broker passes on hangs below the producer by way of the broker", () => {
  const span = (span_id: string, kind: string, parent_span_id: string | null, at: number) =>
    ({ span_id, kind, parent_span_id, resource: `jobs.${first}`, start_unix_ns: `${at}` }) as const;
  const spans = (readBy: string | null): SpanLine[] => [
    span("read", "consumer", "passed", 4),
    span("broker", "consumer", "sent", 2),
    span("passed", "producer", readBy, 3),
    span("sent", "producer", null, 1),
  ];
  const hopsRight = (readBy: string | null) =>
    scoreSpans(spans(readBy), readCallLog(""), new Set([first])).hopsRight;
  assert.equal(hopsRight("broker"), 1);
  assert.equal(hopsRight(null), 0);
});

Deno.test("score: tokens are found in paths, keys and literals, and nothing else is one", () => {
  assert.equal(tokenIn("/r.h/00000000000a"), a);
  assert.equal(tokenIn("GET 00000000000a"), a);
  assert.equal(tokenIn("SELECT '00000000000a', pg_sleep(1)"), a);
  assert.equal(tokenIn("/r/0000000000000a"), undefined);
});
