// SPDX-License-Identifier: Apache-2.0
// The check links without ids: it agrees where threads tell the truth, and sees where they do not.

import assert from "node:assert/strict";
import type { SessionEvent } from "../model/exchange.ts";
import { NO_PROGRAM, type Program } from "../model/process.ts";
import { connectionOf, exchangeOf, messageOf, respondTo } from "../tests/accuracy/session_event.ts";
import { link } from "./link/link.ts";
import { type LinkCheck, selfCheck } from "./self_check.ts";

const shop: Program = { ...NO_PROGRAM, program: 1, tgid: 1, comm: "shop" };

/** Requests that two threads serve at a time. `idOf` names the id in the call of the n-th. */
function run(requests: number, idOf: (n: number) => string | null, watch = true): LinkCheck[] {
  const checks: LinkCheck[] = [];
  const check = selfCheck.open(undefined, {
    emit: (each) => void checks.push(each),
    side() {},
    drop() {},
  });
  const main = link.open(undefined, { emit: (each) => check.right(each), side() {}, drop() {} });
  const tell = (event: SessionEvent) => {
    main.left(event);
    check.left(event);
  };
  let [nowNs, spans] = [1_000_000_000n, 0n];
  const open = (direction: "ingress" | "egress", tid: number, requestId: string | null) => {
    nowNs += 100_000n;
    const what = { protocol: "http", endpoint: "/" };
    const seen = messageOf({
      by: { tid, turn: 0, program: shop },
      on: connectionOf(direction === "ingress" ? tid : 100 + tid, "server"),
      what: requestId === null ? what : { ...what, identity: { requestId } },
      direction,
      kind: "request",
      nowNs,
    });
    const exchange = exchangeOf(++spans, seen);
    tell({ kind: "opened", exchange, emitNs: nowNs });
    return exchange;
  };
  const close = (exchange: ReturnType<typeof exchangeOf>, tid: number) => {
    nowNs += 100_000n;
    for (const { event, apply } of respondTo(exchange, { tid, turn: 0, program: shop }, nowNs)) {
      apply();
      tell(event);
    }
  };
  for (let n = 0; n < requests; n += 2) {
    const works = [0, 1].map((i) => open("ingress", i + 1, watch ? `id${n + i}` : null));
    const calls = [0, 1].map((i) => open("egress", i + 1, idOf(n + i)));
    calls.forEach((call, i) => close(call, i + 1));
    works.forEach((work, i) => close(work, i + 1));
  }
  check.end();
  return checks;
}

const outcomes = (checks: readonly LinkCheck[]) =>
  checks.reduce<Record<string, number>>((counts, { outcome }) => {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  }, {});

Deno.test("self_check: threads agree with what the ids say", () => {
  const checks = run(200, (n) => `id${n}`);
  assert.deepEqual(outcomes(checks), { agreed: 200 });
  assert.equal(checks[0]?.program, shop);
});

Deno.test("self_check: ids are not looked at, so it shows where they contradict threads", () => {
  // Each call carries the id of the other request that is open.
  const checks = run(200, (n) => `id${n ^ 1}`);
  const { agreed = 0, differed = 0 } = outcomes(checks);
  assert.equal(agreed, 0);
  assert.ok(differed > 150, `${differed} differ`);
});

Deno.test("self_check: calls without ids, and programs that read none, are not counted", () => {
  assert.deepEqual(outcomes(run(100, (n) => n % 4 === 0 ? `id${n}` : null)), { agreed: 25 });
  assert.deepEqual(run(100, (n) => `id${n}`, false), []);
});
