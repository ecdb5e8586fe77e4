// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { plainPaint } from "../cli/terminal/style.ts";
import { type Rows, rowsText } from "./rows_text.ts";

const result: Rows = {
  columns: [
    { name: "service", kind: "text" },
    { name: "n", kind: "integer" },
    { name: "ms", kind: "number" },
  ],
  rowCount: 2,
  rows: () => [
    { service: 'a "b", c', n: 12n, ms: 0.123456789 },
    { service: null, n: 2n ** 60n, ms: 3 },
  ],
};

Deno.test("a table has aligned columns and a count", () => {
  assert.equal(
    rowsText(result, "table", plainPaint),
    `service                     n        ms
────────  ───────────────────  ────────
a "b", c                   12  0.123457
          1152921504606846976         3
2 rows
`,
  );
});

Deno.test("JSON has an object per row and loses no digit of large integers", () => {
  assert.equal(
    rowsText(result, "json", plainPaint),
    `{"service":"a \\"b\\", c","n":12,"ms":0.123456789}
{"service":null,"n":"1152921504606846976","ms":3}
`,
  );
});

Deno.test("CSV quotes what needs it", () => {
  assert.equal(
    rowsText(result, "csv", plainPaint),
    `service,n,ms
"a ""b"", c",12,0.123456789
,1152921504606846976,3
`,
  );
});
