// SPDX-License-Identifier: Apache-2.0
// Threads that hand requests to workers and wait: whose result a worker brings shows by whom it
// wakes, in whatever order workers take the requests.

import assert from "node:assert/strict";
import type { Fact } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { linkAll } from "../../../tests/accuracy/link_score.ts";
import {
  connectionOf,
  exchangeOf,
  messageOf,
  type Recorded,
  respondTo,
} from "../../../tests/accuracy/session_event.ts";

const program = { ...NO_PROGRAM, program: 1, tgid: 1, comm: "wakes" };

function scene() {
  const events: Recorded[] = [];
  const truth = new Map<Exchange, Exchange>();
  let nowNs = 1_000_000_000n;
  let spanId = 0n;
  let before: Fact[] = [];
  const push = (recorded: Recorded): void => {
    events.push({ ...recorded, before });
    before = [];
  };
  const tick = (): bigint => nowNs += 100_000n;
  const begin = (tid: number, kind: "server" | "client", endpoint: string): Exchange => {
    const seen = messageOf({
      by: { tid, turn: 0, program },
      on: connectionOf(tid, kind),
      what: { protocol: "http", endpoint },
      direction: kind === "server" ? "ingress" : "egress",
      kind: "request",
      nowNs: tick(),
    });
    const exchange = exchangeOf(++spanId, seen);
    push({ event: { kind: "opened", exchange, emitNs: nowNs }, apply: () => {} });
    return exchange;
  };
  return {
    events,
    truth,
    read: (tid: number) => begin(tid, "server", "/page"),
    send(tid: number, forWhom: Exchange): Exchange {
      const call = begin(tid, "client", "/part");
      truth.set(call, forWhom);
      return call;
    },
    respond(tid: number, exchange: Exchange): void {
      respondTo(exchange, { tid, turn: 0, program }, tick()).forEach(push);
    },
    wake(tid: number, wokenTid: number): void {
      before.push({ ...woke, tid, wokenTid, emitNs: tick() });
    },
  };
}

const woke = { kind: "activity", what: "wakeup", program, turn: 0 } as const;

/** Two requests at a time on threads 1 and 2; workers 11 and 12 take them in any order. */
function handedOver(rounds: number) {
  const told = scene();
  const one = (reader: number, worker: number): void => {
    const request = told.read(reader);
    const call = told.send(worker, request);
    told.respond(worker, call);
    told.wake(worker, reader);
    told.respond(reader, request);
  };
  for (let i = 0; i < 40; i++) one(1 + i % 2, 11 + i % 2);
  for (let i = 0; i < rounds; i++) {
    const [first, second] = [told.read(1), told.read(2)];
    const isSwapped = i % 3 === 0;
    const calls = [
      told.send(11, isSwapped ? second : first),
      told.send(12, isSwapped ? first : second),
    ] as const;
    for (const [at, call] of calls.entries()) {
      told.respond(11 + at, call);
      const reader = told.truth.get(call) === first ? 1 : 2;
      // A worker that passes on a lock, or the next piece of work, wakes workers as well.
      told.wake(11 + at, 12 - at);
      told.wake(11 + at, reader);
    }
    told.respond(1, first);
    told.respond(2, second);
  }
  return told;
}

function scored({ events, truth }: ReturnType<typeof handedOver>) {
  const linked = linkAll(events);
  let [right, wrong] = [0, 0];
  for (const [call, parent] of [...truth].slice(40)) {
    const best = linked.get(call)?.candidates[0];
    if (best === undefined || best.score < 0.95) continue;
    if (best.parent_id === parent.spanId) right++;
    else wrong++;
  }
  return { right, wrong };
}

Deno.test("wakes: the thread that is woken first holds the request of the call", () => {
  const { right, wrong } = scored(handedOver(60));
  assert.equal(wrong, 0);
  assert.ok(right >= 118, `${right} right of 120`);
});
