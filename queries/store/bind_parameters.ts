// SPDX-License-Identifier: Apache-2.0
// Parameters become literals: the engine runs prepared statements only in one go, plain text in
// steps. Quoted text, names and comments of the statement are left alone.

import { quoteText } from "./schema.ts";

export type Parameter = string | number | bigint | boolean | null | readonly Parameter[];

const PARTS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|(\$\$)[^]*?\$\$|\$(\d+)|\?/g;

/** Replaces `?` in order, or `$1`, `$2` … by number. Arrays become lists, for `= ANY($1)`. */
export function bindParameters(sql: string, parameters: readonly Parameter[]): string {
  let next = 0;
  const used = new Set<number>();
  const bound = sql.replace(PARTS, (part, _, number: string | undefined) => {
    if (part !== "?" && number === undefined) return part;
    const index = number === undefined ? next++ : Number(number) - 1;
    const value = parameters[index];
    if (value === undefined) {
      throw new Error(
        `Cannot bind ${part}: the statement needs ${index + 1} parameters, ` +
          `${parameters.length} given`,
      );
    }
    used.add(index);
    return literal(value);
  });
  if (used.size < parameters.length) {
    throw new Error(
      `Cannot bind: ${parameters.length} parameters given, the statement uses ${used.size}`,
    );
  }
  return bound;
}

function literal(value: Parameter): string {
  if (value === null) return "NULL";
  switch (typeof value) {
    case "string":
      return quoteText(value);
    case "boolean":
      return String(value);
    case "bigint":
    case "number":
      // In parentheses, because after a minus sign a negative number would begin a comment.
      return Number.isNaN(value) || Math.abs(Number(value)) === Infinity
        ? `'${value}'::DOUBLE`
        : value < 0
        ? `(${value})`
        : String(value);
    default:
      return `[${value.map(literal).join(", ")}]`;
  }
}
