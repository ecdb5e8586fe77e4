// SPDX-License-Identifier: Apache-2.0
// Every span once, when its exchange has ended: what custom pipelines count and report.

import type { Span, SpanRevision } from "../../model/span.ts";

/** Streams that are open now and remembered; of more than these, revisions may come twice. */
const OPEN_MAX = 65_536;

/** A test that passes the first revision of each span that is not open. */
export function closesSpan(): (revision: SpanRevision) => boolean {
  const open = new Set<bigint>();
  return ({ span }: { readonly span: Span }) => {
    if (span.shape === "open") {
      if (open.size < OPEN_MAX) open.add(span.span_id);
      return false;
    }
    return open.delete(span.span_id) || span.revision === 0;
  };
}
