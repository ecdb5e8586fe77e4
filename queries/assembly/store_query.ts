// SPDX-License-Identifier: Apache-2.0
// A SpanQuery over the store.

import { readSpans } from "../store/read_spans.ts";
import type { Store } from "../store/store.ts";
import { linksSql, relatedSql } from "./related_sql.ts";
import type { LinkColumns } from "./link_closure.ts";
import type { SpanQuery } from "./span_query.ts";

export function storeQuery(store: Pick<Store, "query">): SpanQuery {
  return {
    related: async (keys, range, rowsMax) =>
      readSpans(await store.query(relatedSql(keys, range, rowsMax))),
    links: async (range, rowsMax) => {
      const result = await store.query(linksSql(range, rowsMax));
      if (result.rowCount > rowsMax) return null;
      return {
        spanIds: result.column("id") as LinkColumns["spanIds"],
        parentIds: result.column("parent") as LinkColumns["parentIds"],
        requestSeqs: result.column("seq") as LinkColumns["requestSeqs"],
      };
    },
  };
}
