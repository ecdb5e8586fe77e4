// SPDX-License-Identifier: Apache-2.0
// The table of accuracy on data sets, next to what others reach; with JSON one line per set.

import { PUBLISHED } from "./published.ts";
import { type DataSetScore, scoreDataSet } from "./score_data_set.ts";

/** A row per data set: of a file, or of all in a folder. */
export async function showDataSets(path: string, isJson: boolean): Promise<void> {
  const paths = dataSetsIn(path);
  if (!isJson) {
    console.log(
      "Accuracy in percent, by times alone; learned from the whole of each file (offline)\n" +
        "set                 service  end to end  per span  orphans   wrong      s" +
        "   others, end to end",
    );
  }
  for (const path of paths) {
    const score = await scoreDataSet(path).catch((error) => refuse(path, error));
    console.log(isJson ? JSON.stringify(score) : rowOf(score));
  }
}

function refuse(path: string, error: unknown): never {
  const told = error instanceof Error ? error.message : String(error);
  throw new Error(`Cannot read data set ${path}: ${told}`, { cause: error });
}

function dataSetsIn(path: string): string[] {
  if (!isFolder(path)) return [path];
  const found = [...Deno.readDirSync(path)]
    .filter(({ name }) => /\.json(\.gz)?$/.test(name))
    .map(({ name }) => `${path.replace(/\/$/, "")}/${name}`)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (found.length > 0) return found;
  throw new Error(
    `Cannot find a data set in ${path}: it has no file that ends in .json.gz or .json`,
  );
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    return refuse(path, error);
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
