// SPDX-License-Identifier: Apache-2.0
// The opened trace as the store knows it, fetched beside the picture and shown when it says more.

import { assembleTrace } from "../../queries/assembly/assemble_trace.ts";
import { storeQuery } from "../../queries/assembly/store_query.ts";
import type { Trace } from "../../queries/assembly/trace.ts";
import type { RecentTrace } from "../views/recent_traces.ts";
import type { TraceStore } from "./trace_store.ts";

export interface StoredWaterfalls {
  /** The stored trace, if it is at hand and holds more than what memory has. */
  readonly lookUp: (id: string, recent: RecentTrace | null) => Trace | null;
}

/** An opened trace is asked for again after this: it may have grown. */
const FRESH_MS = 2_000;
/** Spans reach the store a moment after they are seen; their trace may have begun before. */
const MARGIN_NS = 60_000_000_000n;

export function storedWaterfalls(store: TraceStore): StoredWaterfalls {
  let opened = { id: "", askedMs: -Infinity, startNs: 0n };
  let found: Trace | null = null;
  const ask = async (id: string, startNs: bigint) => {
    const range = { fromNs: startNs - MARGIN_NS, toNs: startNs + MARGIN_NS };
    const query = storeQuery(await store.opening);
    const trace = await assembleTrace(query, BigInt(`0x${id}`), range);
    if (id === opened.id) found = trace;
  };
  return {
    lookUp(id, recent) {
      const nowMs = performance.now();
      if (id !== opened.id) {
        opened = { id, askedMs: -Infinity, startNs: recent?.root.start_unix_ns ?? 0n };
        found = null;
      }
      if (nowMs - opened.askedMs > FRESH_MS) {
        opened.askedMs = nowMs;
        // A store that fails says so in the view; the trace is shown from memory.
        ask(id, opened.startNs).catch(() => {});
      }
      return found !== null && found.nodes.length >= (recent?.spans.length ?? 0) ? found : null;
    },
  };
}
