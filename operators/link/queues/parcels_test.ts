// SPDX-License-Identifier: Apache-2.0
// What a broker sends out is matched with what it was handed.

import assert from "node:assert/strict";
import { CERTAIN_FROM } from "../../../model/link.ts";
import { notePublication, publicationsOf, startParcels } from "./parcels.ts";

const [first, second] = [2n, 4n];
const [consumer, other] = [1, 2];
const secondNs = 1e9;

function broker() {
  const parcels = startParcels();
  let span = 100n;
  return {
    publish: (id: bigint, key: bigint, atNs = 0) => notePublication(id, [key], atNs, parcels),
    deliver: (key: bigint, conn = consumer, atNs = 0) => {
      const [best, ...others] = publicationsOf(span++, [key], conn, atNs, parcels);
      return best === undefined
        ? null
        : { of: best.parent_id, isSure: best.score >= CERTAIN_FROM, others: others.length };
    },
  };
}

Deno.test("parcels: what is unique is sure, in any order, also for several consumers", () => {
  const { publish, deliver } = broker();
  publish(10n, first);
  publish(11n, second);
  assert.deepEqual(deliver(second), { of: 11n, isSure: true, others: 0 });
  assert.deepEqual(deliver(first), { of: 10n, isSure: true, others: 0 });
  assert.deepEqual(deliver(first, other), { of: 10n, isSure: true, others: 0 });
  assert.equal(deliver(6n), null);
});

Deno.test("parcels: equal messages one after the other are told apart", () => {
  const { publish, deliver } = broker();
  for (const id of [10n, 11n, 12n]) {
    publish(id, first);
    assert.deepEqual(deliver(first), { of: id, isSure: true, others: 0 });
  }
});

Deno.test("parcels: of several equal ones that wait, the first is the likeliest, not sure", () => {
  const { publish, deliver } = broker();
  for (const id of [10n, 11n, 12n]) publish(id, first);
  assert.deepEqual(deliver(first), { of: 10n, isSure: false, others: 2 });
  assert.deepEqual(deliver(first), { of: 11n, isSure: false, others: 1 });
  assert.deepEqual(deliver(first), { of: 12n, isSure: true, others: 0 });
});

Deno.test("parcels: one consumer that took all in order so far goes on so", () => {
  const { publish, deliver } = broker();
  for (let id = 10n; id < 20n; id++) {
    publish(id, first);
    deliver(first);
  }
  publish(20n, first);
  publish(21n, first);
  assert.deepEqual(deliver(first), { of: 20n, isSure: true, others: 1 });
});

Deno.test("parcels: what was sent long ago is not confused with an equal message of now", () => {
  const { publish, deliver } = broker();
  publish(10n, first);
  deliver(first);
  publish(11n, first, 5 * secondNs);
  assert.deepEqual(deliver(first, other, 5 * secondNs), { of: 11n, isSure: true, others: 0 });
});
