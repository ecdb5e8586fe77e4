// SPDX-License-Identifier: Apache-2.0
// What a database says of an error, without the values and the parts of the statement it repeats.

/** Behind these a name stands in double quotes; behind all others it is a value. */
const NAMED = new Set([
  ...[
    "relation",
    "table",
    "column",
    "role",
    "user",
    "database",
    "constraint",
    "schema",
    "function",
  ],
  ...["procedure", "type", "index", "sequence", "extension", "view", "cursor", "portal", "trigger"],
  ...[
    "statement",
    "language",
    "parameter",
    "tablespace",
    "policy",
    "operator",
    "collation",
    "slot",
  ],
  ...["publication", "subscription", "server", "aggregate", "attribute", "rule", "domain", "of"],
]);

/** Text that goes on to its last quote, whatever stands in it, and values in brackets. */
const ECHOES: readonly [RegExp, string][] = [
  [/\bnear '.*' at line/s, "near ? at line"],
  [/\bat or near ".*/s, "at or near ?"],
  [/^(Duplicate entry) '.*' for key/s, "$1 ? for key"],
  [/\b(values? (?:is|are)) \(.*\)/s, "$1 (?)"],
  [/=\([^)]*\)/g, "=(?)"],
  [/\b(failed at position) \d+.*?(?=\. Expected|$)/s, "$1 ?"],
];

const VALUE = /n't\b|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|(?<![\w$])\.?\d[\w.]*/g;

/** `unmask` leaves the text as it is. */
export function errorText(message: string, unmask: boolean): string {
  if (unmask) return message;
  let text = message;
  for (const [echo, shape] of ECHOES) text = text.replace(echo, shape);
  // An odd quote stands within a value: then all is one.
  if (text.replaceAll("n't", "").split("'").length % 2 === 0) text = text.replace(/'.*'/s, "?");
  return text.replace(VALUE, (value, at: number) => {
    if (value === "n't") return value;
    if (value[0] !== '"') return "?";
    const before = /(\w+) $/.exec(text.slice(Math.max(0, at - 40), at))?.[1] ?? "";
    return NAMED.has(before.toLowerCase()) ? value : "?";
  });
}
