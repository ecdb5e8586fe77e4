// SPDX-License-Identifier: Apache-2.0
// How right traces are on real programs under load: starts them, traces them from the kernel, and
// compares the parents of spans with what the programs themselves logged. Tokens, new on every hop,
// tie spans to the log; the tracer makes no use of them.

import { whileAlone } from "../support/e2e.ts";
import { requires } from "../support/requirements.ts";
import { type Cell, runCell } from "./live/cell.ts";
import { startEnds } from "./live/ends.ts";
import { type Program, PROGRAMS } from "./live/programs.ts";
import { calibrationTable, jsonRow, meetsTarget, tableHeader, tableRow } from "./live/table.ts";

export interface LiveOptions {
  /** All programs when empty. */
  readonly programs: readonly string[];
  readonly concurrency: readonly number[];
  readonly json: boolean;
  /** 5,000 links per cell, as rates need that are to be quoted; else 1,000. */
  readonly full: boolean;
  /** Without quiet requests before the load, from which the tracer learns. */
  readonly cold: boolean;
  /** With the script in Node programs that says for which request they write. */
  readonly nodeContext: boolean;
  /** Folder for recordings that recorded_run.ts reads; then spans come from the recordings. */
  readonly keep: string | undefined;
}

/** One client sends so many before the load, as in quiet hours; they are not counted. */
const quietRequests = 150;

const say = (text: string): void => console.log(text);

/** Runs the matrix and prints it. Returns whether every cell met the target of wrong merges. */
export async function live(options: LiveOptions): Promise<boolean> {
  const programs = chosen(options.programs).filter(canRun);
  const cells: Cell[] = [];
  await using ends = await startEnds();
  if (!options.json) say(tableHeader());
  for (const program of programs) {
    for (const clients of options.concurrency) {
      const cell = await whileAlone(() =>
        runCell(program, ends, {
          clients,
          links: options.full ? 5_000 : 1_000,
          quietRequests: options.cold ? 0 : quietRequests,
          nodeContext: options.nodeContext,
          keep: options.keep ?? null,
        })
      );
      cells.push(cell);
      say(options.json ? jsonRow(cell) : tableRow(cell));
    }
  }
  if (!options.json) say(`\n${calibrationTable(cells)}`);
  return cells.length > 0 && cells.every(meetsTarget);
}

function chosen(names: readonly string[]): Program[] {
  if (names.length === 0) return [...PROGRAMS];
  return names.map((name) => {
    const program = PROGRAMS.find((each) => each.name === name);
    if (program !== undefined) return program;
    const known = PROGRAMS.map((each) => each.name).join(", ");
    throw new Error(`Cannot measure ${name}: there is no such program; there are ${known}`);
  });
}

/** Says why not, if not. */
function canRun({ name, needs }: Program): boolean {
  for (const need of ["bpf", "redis", "postgres", "node", ...needs] as const) {
    const reason = requires(need);
    if (reason === null) continue;
    console.error(`SKIP ${name}: needs ${need}: ${reason}`);
    return false;
  }
  return true;
}
