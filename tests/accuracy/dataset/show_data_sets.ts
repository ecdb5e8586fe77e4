// SPDX-License-Identifier: Apache-2.0
// The table of accuracy on data sets, next to what others reach; with JSON one line per set.

import { PUBLISHED } from "./published.ts";
import { type DataSetScore, ending, scoreDataSet } from "./score_data_set.ts";

/** A row per data set: of a file, or of all in a folder. False if one of them cannot be read. */
export async function showDataSets(path: string, isJson: boolean): Promise<boolean> {
  const paths = dataSetsIn(path);
  if (!isJson) {
    console.log(
      "Accuracy in percent, by times alone; learned from the whole of each file (offline)\n" +
        "set                 service  end to end  per span  orphans   wrong      s" +
        "   others, end to end",
    );
  }
  let isComplete = true;
  for (const path of paths) {
    try {
      const score = await scoreDataSet(path);
      console.log(isJson ? JSON.stringify(score) : rowOf(score));
    } catch (error) {
      console.error(refusal(path, error));
      isComplete = false;
    }
  }
  return isComplete;
}

function refusal(path: string, error: unknown): string {
  return `Cannot read data set ${path}: ${error instanceof Error ? error.message : String(error)}`;
}

/** Folders within a folder are looked through as well. */
function dataSetsIn(path: string): string[] {
  if (!isFolder(path)) return [path];
  const found = filesIn(path.replace(/\/$/, ""))
    .filter((name) => ending.test(name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (found.length > 0) return found;
  throw new Error(
    `Cannot find a data set in ${path}: it has no file that ends in .json.gz, .json or .jsonl`,
  );
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    throw new Error(refusal(path, error), { cause: error });
  }
}

function rowOf(score: DataSetScore): string {
  const { set, service_accuracy, end_to_end, per_span, orphans, wrong, seconds } = score;
  const others = Object.entries(PUBLISHED[set] ?? {})
    .map(([name, percent]) => `${name} ${percent.toFixed(1)}`);
  return [
    set.padEnd(18),
    service_accuracy.toFixed(2).padStart(8),
    end_to_end.toFixed(2).padStart(11),
    per_span.toFixed(2).padStart(9),
    String(orphans).padStart(8),
    String(wrong).padStart(7),
    seconds.toFixed(1).padStart(6),
    "  " + others.join(", "),
  ].join(" ").trimEnd();
}
