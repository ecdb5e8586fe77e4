// SPDX-License-Identifier: Apache-2.0
// The text of --help as a terminal of some width shows it well: descriptions of options broken
// between words, under each other.

/** Colours take no place. */
// deno-lint-ignore no-control-regex -- colours begin with one
const COLOURS = /\x1b\[[0-9;]*m/g;
/** An option and the space before its description; colours already taken out. */
const OPTION = /^\s*(?:-\w\s+)?\[?--\S+\s{2,}/;
/** Said in each description that has a list for example. */
const SEPARATOR = / *\[separator = .\]/;
const COLUMNS_MIN = 60;
/** Where it does not go to a terminal. */
const COLUMNS_OF_FILES = 100;

export function helpText(text: string, columns = COLUMNS_OF_FILES): string {
  const width = Math.max(columns, COLUMNS_MIN);
  return text.split("\n").map((line) => wrapped(tidy(line), width)).join("\n");
}

function tidy(line: string): string {
  const plain = line.replace(COLOURS, "");
  if (!OPTION.test(plain)) return line.trimEnd();
  return plain.replace(SEPARATOR, "").replace(/ {2,}(\[[^\]]*\])$/, " $1").trimEnd();
}

function wrapped(line: string, width: number): string {
  const indent = OPTION.exec(line)?.[0].length;
  if (indent === undefined || line.length <= width) return line;
  const lines: string[] = [];
  let current = line.slice(0, indent);
  for (const word of line.slice(indent).split(" ")) {
    if (current.length > indent && current.length + word.length + 1 > width) {
      lines.push(current);
      current = " ".repeat(indent);
    }
    current += current.length > indent ? ` ${word}` : word;
  }
  return [...lines, current].join("\n");
}
