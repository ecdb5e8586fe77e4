// SPDX-License-Identifier: Apache-2.0
// Accuracy without a kernel: recordings of real programs and simulated services, as a table; with
// JSON one line per row.

import { linkAll, type Score, scoreLinks } from "./link_score.ts";
import { readRecordedRun, recordedRuns } from "./recorded_run.ts";
import { type ShapeName, SHAPES, simulate } from "./simulated_shapes.ts";

/** A row per recording of a real program, and per simulated service and number of clients. */
export async function showReplayed(isJson: boolean): Promise<void> {
  if (!isJson) {
    console.log(
      "Links by evidence inside the process, in percent of all calls\n" +
        "program                            clients   calls    right   wrong  uncertain  missing",
    );
  }
  for (const name of recordedRuns()) {
    const { events, truth } = await readRecordedRun(name);
    const [, program = name, clients = "64"] = /^(.*)_at_(\d+)$/.exec(name) ?? [];
    const score = scoreLinks(linkAll(events), truth);
    showScore(`${program} (recorded)`, Number(clients), score, isJson);
  }
  for (const name of Object.keys(SHAPES)) {
    for (const clients of [1, 8, 64, 256]) {
      const { events, truth } = simulate(name as ShapeName, clients, 3_000);
      showScore(name, clients, scoreLinks(linkAll(events), truth), isJson);
    }
  }
}

function showScore(program: string, clients: number, score: Score, isJson: boolean): void {
  const { calls, right, wrong, uncertain, missing } = score;
  if (isJson) {
    console.log(JSON.stringify({ program, clients, calls, right, wrong, uncertain, missing }));
    return;
  }
  const percent = (count: number) => (100 * count / Math.max(1, calls)).toFixed(2);
  console.log([
    program.padEnd(35),
    String(clients).padStart(6),
    String(calls).padStart(7),
    percent(right).padStart(8),
    percent(wrong).padStart(7),
    percent(uncertain).padStart(10),
    percent(missing).padStart(8),
  ].join(" "));
}
