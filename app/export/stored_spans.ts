// SPDX-License-Identifier: Apache-2.0
// The spans of a range of a store's time, page by page.

import { type Span, SPAN_COLUMNS } from "../../model/span.ts";
import { readSpans } from "../../queries/store/read_spans.ts";
import type { Store } from "../../queries/store/store.ts";

/** Rows of one query: bounds the memory beside the spans themselves. */
const PAGE_ROWS = 50_000;

/** The spans that start within the range, its end excluded, in order of start. */
export async function readStoredSpans(
  store: Pick<Store, "query">,
  { sinceNs, untilNs }: { readonly sinceNs: bigint; readonly untilNs: bigint },
): Promise<Span[]> {
  const spans: Span[] = [];
  const columns = Object.keys(SPAN_COLUMNS).join(", ");
  let last: Pick<Span, "start_unix_ns" | "span_id"> = { start_unix_ns: sinceNs - 1n, span_id: 0n };
  for (;;) {
    const { start_unix_ns: startNs, span_id: id } = last;
    const page = await store.query(
      `SELECT ${columns} FROM spans
       WHERE start_unix_ns >= $1 AND start_unix_ns < $3 AND (start_unix_ns > $1 OR span_id > $2)
       ORDER BY start_unix_ns, span_id LIMIT ${PAGE_ROWS}`,
      [startNs, id, untilNs],
    );
    const read = readSpans(page);
    for (const span of read) spans.push(span);
    last = read.at(-1) ?? last;
    if (read.length < PAGE_ROWS) return spans;
  }
}
