// SPDX-License-Identifier: Apache-2.0
// How right links are on simulated services whose truth is known: per shape and concurrency the
// least share that must be right, and the largest share of drawn links that may be wrong.

import assert from "node:assert/strict";
import fc from "fast-check";
import { linkAll, scoreLinks } from "./link_score.ts";
import { type ShapeName, simulate } from "./simulated_shapes.ts";
import type { Recorded } from "./session_event.ts";

interface Expected {
  readonly shape: ShapeName;
  readonly clients: number;
  readonly rightPercent: number;
  readonly wrongPercent: number;
}

const expected: readonly Expected[] = [
  { shape: "threads", clients: 8, rightPercent: 99.9, wrongPercent: 0 },
  { shape: "threads", clients: 256, rightPercent: 99.9, wrongPercent: 0 },
  { shape: "loop_at_once", clients: 8, rightPercent: 98.5, wrongPercent: 0.1 },
  { shape: "loop_at_once", clients: 64, rightPercent: 94, wrongPercent: 0.2 },
  { shape: "loop_deferred", clients: 8, rightPercent: 96, wrongPercent: 0.1 },
  { shape: "loop_deferred", clients: 64, rightPercent: 95, wrongPercent: 0.3 },
  { shape: "plain_loop_deferred", clients: 256, rightPercent: 97, wrongPercent: 0.1 },
  { shape: "plain_loop_at_once_pool_4", clients: 64, rightPercent: 99, wrongPercent: 0.1 },
  { shape: "plain_loop_at_once_pool_4", clients: 256, rightPercent: 10, wrongPercent: 0 },
  { shape: "workers_8", clients: 8, rightPercent: 99, wrongPercent: 0.2 },
  { shape: "workers_8", clients: 64, rightPercent: 95, wrongPercent: 0.1 },
  { shape: "workers_8", clients: 256, rightPercent: 95, wrongPercent: 0.1 },
  { shape: "workers_8_reader_answers", clients: 8, rightPercent: 98, wrongPercent: 0.1 },
  { shape: "workers_8_last_first", clients: 64, rightPercent: 5, wrongPercent: 0.1 },
  { shape: "workers_8_shortest_first", clients: 64, rightPercent: 5, wrongPercent: 0.5 },
  { shape: "workers_8_stealing", clients: 64, rightPercent: 5, wrongPercent: 0.1 },
  { shape: "two_pools_of_4", clients: 64, rightPercent: 5, wrongPercent: 0.1 },
];

for (const { shape, clients, rightPercent, wrongPercent } of expected) {
  Deno.test(`links of ${shape}, ${clients} clients`, () => {
    const { events, truth } = simulate(shape, clients, 700);
    const { calls, right, wrong } = scoreLinks(linkAll(events), truth);
    const drawn = Math.max(1, right + wrong);
    const told = `${right} right, ${wrong} wrong of ${calls}`;
    assert.ok(100 * right / calls >= rightPercent, told);
    assert.ok(100 * wrong / drawn <= wrongPercent, told);
  });
}

Deno.test("any interleaving that keeps the order within each program gives the same links", () => {
  const runs = (["loop_at_once", "workers_8"] as const).map((shape) => simulate(shape, 8, 60));
  const programs = runs.map(({ events }, index) =>
    events.map((recorded): Recorded => ({ ...recorded, event: ofProgram(recorded, index) }))
  );
  const [first = [], second = []] = programs;
  const linksOf = (events: readonly Recorded[]) =>
    [...linkAll(events)].map(([{ spanId, program }, { candidates }]) =>
      `${program.comm} ${spanId} ${
        candidates.map(({ parent_id, score }) => `${parent_id}:${score}`)
      }`
    ).sort();
  const expectedLinks = linksOf([...first, ...second]);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: first.length + second.length }), (turns) => {
      const merged: Recorded[] = [];
      const next = [0, 0];
      for (const turn of turns) {
        const which = turn ? 1 : 0;
        const recorded = programs[which]?.[next[which] ?? 0];
        if (recorded === undefined) continue;
        merged.push(recorded);
        next[which] = (next[which] ?? 0) + 1;
      }
      merged.push(...first.slice(next[0]), ...second.slice(next[1]));
      assert.deepEqual(linksOf(merged), expectedLinks);
    }),
    { numRuns: 10 },
  );
});

/** Both runs number their programs from 1: the second one's are moved. */
function ofProgram({ event }: Recorded, index: number): Recorded["event"] {
  const { exchange } = event;
  Object.assign(exchange.program, { program: index + 1 });
  return event;
}
