// SPDX-License-Identifier: Apache-2.0
// The clocks of the hosts of a store, and a search that sees all spans by one clock.

import { readSpans } from "../../store/read_spans.ts";
import type { Store } from "../../store/store.ts";
import type { SpanQuery } from "../span_query.ts";
import { alignClocks, estimateClocks, type HostClock } from "./host_clocks.ts";

/** Requests seen by two hosts that are read for it. */
const HOPS_MAX = 2_000;

/** Nothing where all spans are of one host. */
export async function readStoredClocks(store: Pick<Store, "query">): Promise<HostClock[]> {
  const [hosts] = (await store.query("SELECT count(DISTINCT host) AS n FROM spans")).rows();
  if (Number(hosts?.["n"] ?? 0) < 2) return [];
  const result = await store.query(
    `SELECT * FROM spans WHERE request_seq IN (
       SELECT request_seq FROM spans WHERE observer = 'process' AND transport = 'tcp'
       GROUP BY request_seq, response_seq HAVING count(DISTINCT host) = 2
       ORDER BY max(start_unix_ns) DESC LIMIT ${HOPS_MAX})`,
  );
  return estimateClocks(readSpans(result));
}

/** The query by the reference's clock: what it finds is aligned, and looked for far enough away. */
export function alignedQuery(query: SpanQuery, clocks: readonly HostClock[]): SpanQuery {
  if (clocks.length === 0) return query;
  const sizes = clocks.map(({ aheadNs }) => aheadNs < 0n ? -aheadNs : aheadNs);
  const widestNs = sizes.reduce((most, ns) => ns > most ? ns : most, 0n);
  return {
    related: async (keys, { fromNs, toNs }, rowsMax, inHand) => {
      const wide = { fromNs: fromNs - widestNs, toNs: toNs + widestNs };
      const found = alignClocks(await query.related(keys, wide, rowsMax, inHand), clocks);
      return found.filter(({ start_unix_ns: ns }) => ns >= fromNs && ns <= toNs);
    },
  };
}
