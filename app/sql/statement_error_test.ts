// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { statementError } from "./statement_error.ts";

Deno.test("what takes an extension is refused with another way to ask", () => {
  const json = 'Catalog Error: Scalar Function with name "json_extract" is not in the catalog, ' +
    "but it exists in the json extension.\n\nPlease try installing and loading the json extension";
  assert.match(statementError(json), /^Cannot run this: json_extract belongs .*\battribute\(/);
  const icu = "Extension Autoloading Error: An error occurred while trying to automatically " +
    "install the required extension 'icu':\nLoading external extensions is disabled";
  assert.match(statementError(icu), /^Cannot run this: a part of this statement .*UTC/);
  const other = 'Parser Error: syntax error at or near "FORM"';
  assert.equal(statementError(other), other);
});
