// SPDX-License-Identifier: Apache-2.0
// Accuracy without a kernel: data sets, recordings of real programs and simulated services, as
// tables; with JSON one line per row.

import { type DataSetScore, PUBLISHED, scoreDataSet } from "./dataset.ts";
import { linkAll, type Score, scoreLinks } from "./link_score.ts";
import { readRecordedRun, recordedRuns } from "./recorded_run.ts";
import { type ShapeName, SHAPES, simulate } from "./simulated_shapes.ts";

/** A row per data set: of a file, or of all in a folder. */
export async function showDataSets(path: string, isJson: boolean): Promise<void> {
  const paths = dataSetsIn(path);
  if (!isJson) {
    console.log(
      "Accuracy in percent; published figures are end to end\n" +
        "set                 service  end to end  per span  orphans   wrong   published",
    );
  }
  for (const path of paths) {
    const score = await scoreDataSet(path).catch((error) => refuse(path, error));
    console.log(isJson ? JSON.stringify(score) : dataSetRow(score));
  }
}

function refuse(path: string, error: unknown): never {
  const told = error instanceof Error ? error.message : String(error);
  throw new Error(`Cannot read data set ${path}: ${told}`, { cause: error });
}

function dataSetsIn(path: string): string[] {
  if (!isFolder(path)) return [path];
  return [...Deno.readDirSync(path)]
    .filter(({ name }) => name.endsWith(".json.gz"))
    .map(({ name }) => `${path.replace(/\/$/, "")}/${name}`)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    return refuse(path, error);
  }
}

function dataSetRow(score: DataSetScore): string {
  const { set, service_accuracy, end_to_end, per_span, orphans, wrong } = score;
  const others = Object.entries(PUBLISHED[set] ?? {})
    .map(([name, percent]) => `${name} ${percent.toFixed(1)}`);
  return [
    set.padEnd(18),
    service_accuracy.toFixed(2).padStart(8),
    end_to_end.toFixed(2).padStart(11),
    per_span.toFixed(2).padStart(9),
    String(orphans).padStart(8),
    String(wrong).padStart(7),
    "  " + others.join(", "),
  ].join(" ").trimEnd();
}

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
