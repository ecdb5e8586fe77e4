// SPDX-License-Identifier: Apache-2.0
// A sentence in lines of a width; what follows the first is set in.

import { cellsOf } from "../cli/terminal/cell_text.ts";

export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && cellsOf(longer) > width) {
      lines.push(line);
      line = `  ${word}`;
    } else line = longer;
  }
  return [...lines, line];
}
