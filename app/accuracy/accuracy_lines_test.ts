// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { NO_PROGRAM } from "../../model/process.ts";
import { plainPaint } from "../cli/terminal/style.ts";
import { accuracyLines, accuracyText } from "./accuracy_lines.ts";
import { LinkChecks } from "./link_checks.ts";

const program = (comm: string) => ({ ...NO_PROGRAM, program: 1, tgid: 1, comm, exe: comm });

function checksOf(counts: Readonly<Record<string, readonly [number, number, number]>>) {
  const checks = new LinkChecks();
  for (const [comm, [agreed, differed, uncertain]] of Object.entries(counts)) {
    const named = program(comm);
    const add = (n: number, outcome: "agreed" | "differed" | "uncertain") => {
      for (let i = 0; i < n; i++) checks.add({ program: named, outcome });
    };
    add(agreed, "agreed");
    add(differed, "differed");
    add(uncertain, "uncertain");
  }
  return checks;
}

Deno.test("accuracy: by service, of links drawn as fact, and how many it rests on", () => {
  const checks = checksOf({ orders: [990, 10, 250], nginx: [100, 0, 0], tiny: [9, 0, 0] });
  const lines = accuracyLines(checks.rows(), plainPaint);
  assert.match(lines[3] ?? "", /^orders +99\.00% +1\.0% +20\.0% +1,250$/);
  assert.match(lines[4] ?? "", /^nginx +100% +0% +0% +100$/);
  assert.ok(lines.every((line) => !line.includes("tiny")));
  assert.equal(accuracyText(checks.rows()), "links 99.10% right (1,359 checked by ids)");
});

Deno.test("accuracy: nothing is said of too few links", () => {
  const few = checksOf({ orders: [40, 9, 0] });
  assert.deepEqual(accuracyLines(few.rows(), plainPaint), []);
  assert.equal(accuracyText(few.rows()), "");
  assert.equal(accuracyText(checksOf({ a: [0, 0, 99] }).rows()), "");
});

Deno.test("accuracy: what was taken is not taken again", () => {
  const checks = checksOf({ orders: [3, 0, 0] });
  assert.deepEqual(checks.takeFresh().map(({ agreed }) => agreed), [3]);
  assert.deepEqual(checks.takeFresh(), []);
  assert.equal(checks.rows()[0]?.agreed, 3);
});
