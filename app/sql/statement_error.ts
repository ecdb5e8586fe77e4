// SPDX-License-Identifier: Apache-2.0
// Why a statement failed, as advice that can be followed here.

/** DuckDB advises to install extensions; the engine inside Spandrel has none and loads none. */
export function statementError(message: string): string {
  const missing = /with name "([^"]+)" is not in the catalog, but it exists in the (\w+) extension/
    .exec(message);
  const [, name, extension] = missing ?? [];
  const needed = extension ?? /required extension '(\w+)'/.exec(message)?.[1];
  if (needed === undefined) return message;
  const what = name === undefined ? "a part of this statement" : name;
  return `Cannot run this: ${what} belongs to DuckDB's extension ${needed}, ` +
    `and Spandrel loads none. ${REMEDIES[needed] ?? "Export the spans and ask DuckDB itself."}`;
}

const REMEDIES: Readonly<Record<string, string>> = {
  icu: "Use now(), and times without a zone, as TIMESTAMP: all are UTC.",
  json: "Read a field with attribute(attributes, 'name'), or attribute_number.",
};
