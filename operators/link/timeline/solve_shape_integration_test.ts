// SPDX-License-Identifier: Apache-2.0
// Calls are placed by times alone: gaps, counts and order are learned from requests that overlap.

import assert from "node:assert/strict";
import fc from "fast-check";
import { learnShape } from "./learn_shape.ts";
import { serviceOf } from "./service.ts";
import type { ShapeCall, ShapeRequest } from "./shape/path.ts";
import { solveShape } from "./solve_shape.ts";

/** A small deterministic generator of chance (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Made {
  readonly requests: ShapeRequest[];
  readonly calls: ShapeCall[];
  readonly truth: number[];
}

type Chance = () => number;

/** `make` tells the calls of one request from its start, and returns its end. */
function overlapping(
  count: number,
  meanUs: number,
  make: (startUs: number, random: Chance, call: (call: ShapeCall) => number) => number,
): Made {
  const random = seeded(3);
  const made: Made = { requests: [], calls: [], truth: [] };
  let nowUs = 0;
  for (let i = 0; i < count; i++) {
    nowUs += -Math.log(1 - random()) * meanUs;
    const endUs = make(nowUs, random, (call) => {
      made.calls.push(call);
      made.truth.push(i);
      return call.endUs;
    });
    made.requests.push({ kind: 0, startUs: nowUs, endUs });
  }
  return made;
}

function rightShare({ requests, calls, truth }: Made, callees: number): number {
  const placed = solveShape(requests, calls, callees);
  return truth.filter((request, call) => placed[call]?.request === request).length / truth.length;
}

function oneAfterTheOther(meanUs: number): Made {
  return overlapping(300, meanUs, (startUs, random, call) => {
    const firstUs = startUs + 90 + random() * 20;
    const first = call({ callee: 0, startUs: firstUs, endUs: firstUs + 500 + random() * 3_000 });
    const secondUs = first + 40 + random() * 10;
    const second = call({ callee: 1, startUs: secondUs, endUs: secondUs + 300 + random() * 2_000 });
    return second + 60 + random() * 20;
  });
}

Deno.test("solve_shape: one call after the other, two requests at a time", () => {
  const share = rightShare(oneAfterTheOther(1_600), 2);
  assert.ok(share >= 0.99, `${share}`);
});

Deno.test("solve_shape: the same with ten requests at a time, none of them ever alone", () => {
  const share = rightShare(oneAfterTheOther(320), 2);
  assert.ok(share >= 0.9, `${share}`);
});

Deno.test("solve_shape: several calls at once, told apart by when the last has ended", () => {
  const made = overlapping(300, 1_500, (startUs, random, call) => {
    let lastUs = startUs;
    const endsUs = [2, 0, 1].map((callee) => {
      lastUs += 20 + random() * 300;
      return call({ callee, startUs: lastUs, endUs: lastUs + 200 + random() * 4_000 });
    });
    return Math.max(...endsUs) + 30 + random() * 10;
  });
  assert.ok(rightShare(made, 3) >= 0.9, `${rightShare(made, 3)}`);
});

Deno.test("solve_shape: calls that are skipped at times, and several to one callee", () => {
  const made = overlapping(300, 3_000, (startUs, random, call) => {
    let atUs = startUs + 50 + random() * 30;
    if (random() < 0.5) {
      atUs = call({ callee: 0, startUs: atUs, endUs: atUs + 900 + random() * 600 }) + 20 +
        random() * 10;
    }
    for (let i = 0; i < 3; i++) {
      atUs = call({ callee: 1, startUs: atUs, endUs: atUs + 700 + random() * 900 }) + 20 +
        random() * 10;
    }
    return atUs + 100;
  });
  assert.ok(rightShare(made, 2) >= 0.98, `${rightShare(made, 2)}`);
});

/** A call per request after a gap that says little; with a queue, in the order of requests. */
function irregular(hasQueue: boolean): Made {
  let freeUs = 0;
  return overlapping(400, 2_000, (startUs, random, call) => {
    const readyUs = startUs + 100 + random() * 3_000;
    freeUs = Math.max(freeUs + 1, readyUs);
    const sentUs = hasQueue ? freeUs : readyUs;
    return call({ callee: 0, startUs: sentUs, endUs: sentUs + 400 + random() * 600 }) + 200 +
      random() * 800;
  });
}

Deno.test("solve_shape: a queue is recognised, and then decides", () => {
  const queued = irregular(true);
  const model = learnShape(serviceOf(queued.requests, queued.calls, 1));
  assert.notEqual(model.overtaking.queue, "none");
  assert.equal(rightShare(queued, 1), 1);
});

Deno.test("solve_shape: where requests overtake each other no queue is seen", () => {
  const free = irregular(false);
  const model = learnShape(serviceOf(free.requests, free.calls, 1));
  assert.equal(model.overtaking.queue, "none");
});

Deno.test("solve_shape: a call that no request encloses is an orphan", () => {
  const request = { kind: 0, startUs: 0, endUs: 10_000 };
  const placed = solveShape([request], [
    { callee: 0, startUs: 10, endUs: 9_000 },
    { callee: 0, startUs: 5_000, endUs: 20_000 },
  ], 1);
  assert.deepEqual(placed.map(({ request }) => request), [0, -1]);
});

Deno.test("solve_shape: a call may end a little later than its request, not much", () => {
  const made = overlapping(
    100,
    1e6,
    (startUs, _, call) => call({ callee: 0, startUs: startUs + 100, endUs: startUs + 1_000 }) + 100,
  );
  const endings = [300, 5_000].map((lateUs, i) => {
    const startUs = -1e6 * (i + 1);
    const endUs = startUs + 1_100;
    return {
      request: { kind: 0, startUs, endUs },
      call: { callee: 0, startUs: startUs + 100, endUs: endUs + lateUs },
    };
  });
  const requests = [...endings.map(({ request }) => request), ...made.requests];
  const calls = [...endings.map(({ call }) => call), ...made.calls];
  const placed = solveShape(requests, calls, 1);
  assert.deepEqual([placed[0]?.request, placed[1]?.request], [0, -1]);
});

Deno.test("solve_shape: requests and calls may still be open", () => {
  const made = overlapping(
    100,
    1e6,
    (startUs, _, call) => call({ callee: 0, startUs: startUs + 100, endUs: startUs + 1_000 }) + 100,
  );
  const lastUs = made.requests.at(-1)?.startUs ?? 0;
  const requests = [...made.requests, { kind: 0, startUs: lastUs + 5_000, endUs: Infinity }];
  const calls = [...made.calls, { callee: 0, startUs: lastUs + 5_100, endUs: Infinity }];
  const placed = solveShape(requests, calls, 1);
  assert.equal(placed.at(-1)?.request, 100);
  assert.equal(placed.at(0)?.request, 0);
});

Deno.test("solve_shape: twins are a toss-up, and each is named as the other's place", () => {
  const made = overlapping(
    200,
    1e6,
    (startUs, _, call) => call({ callee: 0, startUs: startUs + 100, endUs: startUs + 1_000 }) + 100,
  );
  const twin = { kind: 0, startUs: -5_000, endUs: -3_000 };
  const call = { callee: 0, startUs: -4_900, endUs: -3_100 };
  const placed = solveShape(
    [twin, twin, ...made.requests],
    [call, call, ...made.calls],
    1,
  );
  const [first, second] = placed;
  assert.deepEqual(new Set([first?.request, second?.request]), new Set([0, 1]));
  for (const each of [first, second]) {
    assert.ok(Math.abs((each?.confidence ?? 0) - 0.5) < 0.05, `${each?.confidence}`);
    assert.deepEqual(each?.others.map(({ request }) => request), [1 - (each?.request ?? 0)]);
  }
});

Deno.test("solve_shape: requests that are all open at once take bounded work", () => {
  const requests = Array.from({ length: 80 }, (_, i) => ({
    kind: 0,
    startUs: i,
    endUs: 1_000_000 + i,
  }));
  const calls = requests.map(({ startUs }) => ({
    callee: 0,
    startUs: 10_000 + startUs * 10,
    endUs: 900_000,
  }));
  assert.equal(solveShape(requests, calls, 1).length, calls.length);
});

Deno.test("solve_shape: any spans whatever are placed inside a request or nowhere", () => {
  const time = fc.integer({ min: -50_000, max: 50_000 });
  const request = fc.record({ kind: fc.nat(2), startUs: time, endUs: time });
  const call = fc.record({ callee: fc.nat(3), startUs: time, endUs: time });
  const some = { maxLength: 20 };
  fc.assert(
    fc.property(fc.array(request, some), fc.array(call, some), (requests, calls) => {
      const placed = solveShape(requests, calls, 4);
      assert.equal(placed.length, calls.length);
      for (const [i, { request, confidence }] of placed.entries()) {
        assert.ok(confidence >= 0 && confidence <= 1, `confidence ${confidence}`);
        const parent = requests[request];
        const made = calls[i];
        if (parent === undefined || made === undefined) assert.equal(request, -1);
        else assert.ok(parent.startUs <= made.startUs, "sent before it was asked for");
      }
    }),
    { numRuns: 40 },
  );
});
