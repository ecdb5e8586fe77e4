// SPDX-License-Identifier: Apache-2.0
// Operator: spans to traces, each emitted once, when nothing has changed in it for a while.

import type { Operator } from "../../engine/operator.ts";
import type { SpanRevision } from "../../model/span.ts";
import { type Nanos, SECOND } from "../../model/time.ts";
import { type RecentTrace, RecentTraces } from "./recent_traces.ts";

/** Event time without a change after which a trace counts as finished. */
const SETTLE_NS: Nanos = SECOND;
/** The same for a trace whose root names a parent that has not come: a request still running. */
const ORPHAN_NS: Nanos = 60n * SECOND;

export const settleTraces: Operator<SpanRevision, RecentTrace> = {
  name: "settle_traces",
  limits: [],
  open(_params, out) {
    const traces = new RecentTraces({ onForget: out.emit });
    let nowNs: Nanos = 0n;
    return {
      push: (revision) => traces.add(revision, nowNs),
      advance(watermarkNs) {
        nowNs = watermarkNs;
        for (const trace of traces.settled(nowNs - SETTLE_NS, nowNs - ORPHAN_NS)) out.emit(trace);
      },
      end() {
        for (const trace of traces.unsettled()) out.emit(trace);
      },
      held: () => traces.size,
    };
  },
};
