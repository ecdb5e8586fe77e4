// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { closesSpan } from "./closed_spans.ts";
import { makeRevision } from "../views/span_fixture.ts";

Deno.test("each span passes once, when its exchange has ended", () => {
  const revisions = [
    makeRevision({ span_id: 1n }),
    makeRevision({ span_id: 1n, revision: 1, parent_span_id: 9n }),
    makeRevision({ span_id: 2n, shape: "open" }),
    makeRevision({ span_id: 2n, revision: 1, shape: "open" }),
    makeRevision({ span_id: 2n, revision: 2 }),
    makeRevision({ span_id: 2n, revision: 3 }),
  ];
  const passing = revisions.filter(closesSpan()).map(({ span }) =>
    `${span.span_id}.${span.revision}`
  );
  assert.deepEqual(passing, ["1.0", "2.2"]);
});
