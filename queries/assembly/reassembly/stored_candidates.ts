// SPDX-License-Identifier: Apache-2.0
// The candidates of a store, and a search that sees its spans as other rules would have linked
// them.

import type { Candidate } from "../../../model/link.ts";
import type { Span } from "../../../model/span.ts";
import type { Store } from "../../store/store.ts";
import type { Result } from "../../store/result.ts";
import type { AssemblyRules } from "../assembly_rules.ts";
import { noKeys, type SpanQuery } from "../span_query.ts";
import { byChild, type CandidatesByChild, relink } from "./relink.ts";

/** Ids of one query. */
const ID_COUNT_MAX = 2_000;

/** Those of the spans given. */
export async function candidatesOf(
  store: Pick<Store, "query">,
  spanIds: readonly bigint[],
): Promise<CandidatesByChild> {
  const found: Candidate[] = [];
  for (let i = 0; i < spanIds.length; i += ID_COUNT_MAX) {
    const ids = spanIds.slice(i, i + ID_COUNT_MAX).join(", ");
    found.push(...read(await store.query(`FROM link_candidates WHERE span_id IN (${ids})`)));
  }
  return byChild(found);
}

/** Those of all spans that start within a time, its end excluded. */
export async function candidatesWithin(
  store: Pick<Store, "query">,
  { sinceNs, untilNs }: { readonly sinceNs: bigint; readonly untilNs: bigint },
): Promise<CandidatesByChild> {
  const result = await store.query(
    `FROM link_candidates WHERE span_id IN (
       SELECT span_id FROM spans WHERE start_unix_ns >= $1 AND start_unix_ns < $2)`,
    [sinceNs, untilNs],
  );
  return byChild(read(result));
}

/** The query with every span linked by the rules given; it follows every stored candidate. */
export function relinkedQuery(
  query: SpanQuery,
  store: Pick<Store, "query">,
  rules: AssemblyRules,
): SpanQuery {
  if (rules.without.size === 0) return query;
  return {
    related: async (keys, range, rowsMax, inHand) => {
      const found = new Map<bigint, Span>();
      for (const span of await query.related(keys, range, rowsMax, inHand)) {
        found.set(span.span_id, span);
      }
      const children = (await childrenOf(store, keys.parent_span_id))
        .filter((id) => !found.has(id) && inHand?.has(id) !== true);
      if (children.length > 0) {
        const others = { ...noKeys(), span_id: children };
        for (const span of await query.related(others, range, rowsMax, inHand)) {
          found.set(span.span_id, span);
        }
      }
      return relink([...found.values()], await candidatesOf(store, [...found.keys()]), rules);
    },
  };
}

/** Spans of which any of those given is a possible parent. */
async function childrenOf(
  store: Pick<Store, "query">,
  parents: readonly bigint[],
): Promise<bigint[]> {
  if (parents.length === 0) return [];
  const result = await store.query(
    `SELECT DISTINCT span_id FROM link_candidates WHERE parent_id IN (${parents.join(", ")})`,
  );
  return Array.from(result.column("span_id") as ArrayLike<bigint>);
}

function read(result: Result): Candidate[] {
  return result.rows().map((row) => ({
    span_id: row["span_id"] as bigint,
    parent_id: row["parent_id"] as bigint,
    evidence: row["evidence"] as Candidate["evidence"],
    score: Number(row["score"]),
    rank: Number(row["rank"]),
    votes: String(row["votes"]),
    among: Number(row["among"]),
  }));
}
