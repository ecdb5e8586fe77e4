// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal, ok } from "node:assert/strict";
import { SPAN_COLUMNS } from "../../model/span.ts";
import { createProtocolView, createSlice, createView, describeTables } from "./schema.ts";

const DNS = {
  name: "dns",
  fields: { "dns.answers": { type: "number", doc: "records in the answer" } },
} as const;

Deno.test("schema: every table and column is documented, spans as the model declares them", () => {
  const tables = describeTables([DNS]);
  deepEqual(tables.map(({ name }) => name), [
    "spans",
    "link_candidates",
    "link_checks",
    "losses",
    "store_meta",
    "span_dns",
  ]);
  for (const { name, doc, columns } of tables) {
    ok(doc.length > 0, name);
    for (const column of columns) ok(column.doc.length > 0 && column.type.length > 0, column.name);
  }
  const spans = tables[0], dns = tables.at(-1);
  const names = spans?.columns.map(({ name }) => name) ?? [];
  deepEqual(names.slice(0, -2), Object.keys(SPAN_COLUMNS));
  deepEqual(names.slice(-2), ["start_time", "duration_ms"]);
  ok(!dns?.columns.some(({ name }) => name === "attributes"));
  deepEqual(dns?.columns.at(-1), {
    name: "dns.answers",
    type: "DOUBLE",
    doc: "records in the answer",
  });
});

Deno.test("schema: statements", () => {
  equal(
    createSlice("link_candidates", 3),
    'CREATE TABLE link_candidates_slice_3 ("span_id" UBIGINT NOT NULL, ' +
      '"parent_id" UBIGINT NOT NULL, "evidence" VARCHAR NOT NULL, "score" FLOAT NOT NULL, ' +
      '"rank" UINTEGER NOT NULL, "votes" VARCHAR NOT NULL, "among" UINTEGER NOT NULL)',
  );
  equal(
    createView("link_candidates", [3, 4]),
    "CREATE OR REPLACE VIEW link_candidates AS SELECT * FROM " +
      "(FROM link_candidates_slice_3 UNION ALL FROM link_candidates_slice_4)",
  );
  equal(
    createProtocolView(DNS),
    'CREATE OR REPLACE VIEW "span_dns" AS SELECT * EXCLUDE (attributes), ' +
      "attribute_number(attributes, 'dns.answers') AS \"dns.answers\" " +
      "FROM spans WHERE protocol = 'dns'",
  );
});
