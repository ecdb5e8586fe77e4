// SPDX-License-Identifier: Apache-2.0
// A trace as the store has it: assembled by its keys, with what has left memory or came late.

import { assembleTrace } from "../../queries/assembly/assemble_trace.ts";
import { relatedSql } from "../../queries/assembly/related_sql.ts";
import type { TimeRange } from "../../queries/assembly/span_query.ts";
import type { Trace } from "../../queries/assembly/trace.ts";
import type { Store } from "../../queries/store/store.ts";
import { spansOf } from "../export/stored_spans.ts";

/** Null if the store has no span of that id which starts within the range. */
export function readStoredTrace(
  store: Store,
  spanId: bigint,
  range: TimeRange,
): Promise<Trace | null> {
  const query = {
    related: async (...request: Parameters<typeof relatedSql>) =>
      spansOf(await store.query(relatedSql(...request))),
  };
  return assembleTrace(query, spanId, range);
}
