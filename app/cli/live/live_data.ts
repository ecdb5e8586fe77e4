// SPDX-License-Identifier: Apache-2.0
// What one picture of the live view is made of.

import type { TraceHead } from "../../views/recent_traces.ts";
import type { ServiceRow } from "../../views/service_stats.ts";

export interface LiveData {
  /** What is traced: "whole host", "pid 812 and descendants", a file. */
  readonly scope: string;
  readonly services: readonly ServiceRow[];
  readonly newest: readonly TraceHead[];
  readonly slowest: readonly TraceHead[];
  readonly vitals: Vitals;
}

/** The footer: what tracing costs and loses. */
export interface Vitals {
  readonly eventsPerS: number;
  /** Of one core. */
  readonly cpuShare: number;
  readonly memoryBytes: number;
  readonly spans: number;
  /** Spans that the store removed because they were older, or more, than asked for. */
  readonly expired: number;
  /** How events are captured: "fast path", "recording", "starting". */
  readonly path: string;
  readonly drops: readonly { readonly reason: string; readonly count: number }[];
  /** How right links are here, as ids in the traffic tell; "" while there is too little to say. */
  readonly accuracy?: string;
  /** What the user should know now: a store that fails, a source that ended. */
  readonly notice: string;
}
