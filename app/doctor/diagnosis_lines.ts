// SPDX-License-Identifier: Apache-2.0
// A diagnosis as text: the checks as a table, what is wrong and what helps, what is not seen.

import { fit, harmless } from "../cli/terminal/cell_text.ts";
import { countText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import type { Check, Diagnosis, Trial } from "./check_host.ts";

const NAME_CELLS = 22;

export function diagnosisLines(diagnosis: Diagnosis, paint: Paint): string[] {
  const { checks, escapes, trial, canTrace, capturePath } = diagnosis;
  const verdict = canTrace
    ? paint("green", `Tracing works here, on the ${capturePath} path.`)
    : paint("red", "Tracing cannot work here yet.");
  const hidden = escapes.flatMap((escape) => wrapped(escape, "  – "));
  return [
    ...checks.flatMap((check) => checkLines(check, paint)),
    "",
    ...(escapes.length === 0 ? [] : [paint("bold", "Not seen by any hook"), ...hidden, ""]),
    ...(trial === null ? [] : [trialText(trial), ""]),
    verdict,
  ];
}

function checkLines({ name, state, finding, reason, remedy }: Check, paint: Paint): string[] {
  const style = ({ on: "green", off: "yellow", broken: "red" } as const)[state];
  const head = `${paint(style, fit(state, 7))} ${fit(name, NAME_CELLS)} `;
  const indent = " ".repeat(8 + NAME_CELLS + 1);
  const lines = [`${head}${harmless(finding || reason)}`];
  if (finding !== "" && reason !== "") lines.push(`${indent}${paint("dim", harmless(reason))}`);
  if (remedy !== "") lines.push(`${indent}${paint("bold", "→")} ${harmless(remedy)}`);
  return lines;
}

function trialText({ ms, records, drops }: Trial): string {
  const lost = Object.entries(drops)
    .map(([reason, count]) => `${countText(count)} ${reason.replaceAll("_", " ")}`);
  const end = lost.length === 0 ? "nothing was dropped" : `dropped: ${lost.join(", ")}`;
  return `A trial of ${ms} ms took ${countText(records)} records; ${end}.`;
}

function wrapped(text: string, bullet: string, cells = 96): string[] {
  const lines: string[] = [];
  let line = bullet;
  for (const word of text.split(" ")) {
    if (line.length + word.length >= cells) {
      lines.push(line.trimEnd());
      line = " ".repeat(bullet.length);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
