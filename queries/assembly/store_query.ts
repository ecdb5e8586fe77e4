// SPDX-License-Identifier: Apache-2.0
// A SpanQuery over the store.

import { readSpans } from "../store/read_spans.ts";
import type { Store } from "../store/store.ts";
import { linksSql, relatedSql } from "./related_sql.ts";
import type { LinkColumns } from "./link_closure.ts";
import { noKeys, type SpanQuery } from "./span_query.ts";

export function storeQuery(store: Pick<Store, "query">): SpanQuery {
  return {
    related: async (keys, range, rowsMax, inHand) => {
      if (inHand === undefined || inHand.size === 0) {
        return readSpans(await store.query(relatedSql(keys, range, rowsMax)));
      }
      // Whole rows are read only if there is something new: most rounds end a search.
      const found = await store.query(relatedSql(keys, range, rowsMax, "span_id"));
      const ids = Array.from(found.column("span_id") as ArrayLike<bigint>)
        .filter((id) => !inHand.has(id));
      if (ids.length === 0) return [];
      const only = { ...noKeys(), span_id: ids };
      return readSpans(await store.query(relatedSql(only, range, rowsMax)));
    },
    links: async (range, rowsMax) => {
      const result = await store.query(linksSql(range, rowsMax));
      if (result.rowCount > rowsMax) return null;
      return {
        spanIds: result.column("id") as LinkColumns["spanIds"],
        parentIds: result.column("parent") as LinkColumns["parentIds"],
        requestSeqs: result.column("seq") as LinkColumns["requestSeqs"],
        startsUs: result.column("start_us") as LinkColumns["startsUs"],
      };
    },
  };
}
