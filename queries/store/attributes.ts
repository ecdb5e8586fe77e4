// SPDX-License-Identifier: Apache-2.0
// Attributes are stored packed: one JSON object as text, which any reader understands.
//
// The embedded engine has no JSON functions, so the text keeps one rule more than JSON: a quote
// or backslash inside a value is written \u0022 or \u005c. A bare quote therefore always ends a
// value, `"name":` occurs only as a name, and plain splitting finds every value exactly.

import type { Attributes } from "../../model/message.ts";

export function packAttributes(attributes: unknown): string {
  const json = JSON.stringify(attributes ?? {});
  if (!json.includes("\\")) return json;
  return json.replace(/\\(["\\])/g, (_, c) => c === '"' ? "\\u0022" : "\\u005c");
}

export function unpackAttributes(packed: string): Attributes {
  return JSON.parse(packed);
}

/** Macros that read one attribute of a packed text; null where it is absent. */
export const ATTRIBUTE_MACROS: readonly string[] = [
  `CREATE OR REPLACE MACRO attribute_raw(packed, field) AS
     split_part(packed, concat('"', field, '":'), 2)`,
  `CREATE OR REPLACE MACRO attribute_text(packed, field) AS
     CASE WHEN contains(packed, concat('"', field, '":"')) THEN
       replace(replace(replace(replace(replace(
         split_part(split_part(packed, concat('"', field, '":"'), 2), '"', 1),
         '\\n', chr(10)), '\\t', chr(9)), '\\r', chr(13)), '\\u0022', '"'), '\\u005c', '\\')
     END`,
  `CREATE OR REPLACE MACRO attribute_number(packed, field) AS
     TRY_CAST(rtrim(split_part(attribute_raw(packed, field), ',', 1), '}') AS DOUBLE)`,
  `CREATE OR REPLACE MACRO attribute_boolean(packed, field) AS
     TRY_CAST(rtrim(split_part(attribute_raw(packed, field), ',', 1), '}') AS BOOLEAN)`,
  `CREATE OR REPLACE MACRO attribute(packed, field) AS
     coalesce(
       attribute_text(packed, field),
       nullif(rtrim(split_part(attribute_raw(packed, field), ',', 1), '}'), ''))`,
];
