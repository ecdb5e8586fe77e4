// SPDX-License-Identifier: Apache-2.0
// The columns of the lists of the live view: what they show, how wide, and how they sort.

import { clockText, countText, durationText } from "../terminal/quantity_text.ts";
import { rateText, shareText } from "../terminal/quantity_text.ts";
import type { Style } from "../terminal/style.ts";
import { durationOf, type TraceHead } from "../../views/recent_traces.ts";
import { requestText } from "../../views/request_text.ts";
import { serviceNameOf, type ServiceRow } from "../../views/service_stats.ts";

export interface ListColumn<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Cells; the one column with 0 takes what is left. */
  readonly cells: number;
  /** Left out of screens narrower than this. */
  readonly fromWidth: number;
  readonly text: (row: Row) => string;
  readonly key: (row: Row) => number | string;
  readonly style?: (row: Row) => Style | undefined;
}

const errorStyle = (errors: number): Style | undefined => errors > 0 ? "red" : undefined;

export const SERVICE_COLUMNS: readonly ListColumn<ServiceRow>[] = [
  {
    title: "SERVICE",
    align: "left",
    cells: 0,
    fromWidth: 0,
    text: (row) => row.service,
    key: (row) => row.service,
  },
  {
    title: "PROTOCOLS",
    align: "left",
    cells: 20,
    fromWidth: 88,
    text: (row) => row.protocols,
    key: (row) => row.protocols,
  },
  {
    title: "REQ/S",
    align: "right",
    cells: 8,
    fromWidth: 0,
    text: (row) => rateText(row.requestsPerS),
    key: (row) => row.requestsPerS,
  },
  {
    title: "CALLS/S",
    align: "right",
    cells: 8,
    fromWidth: 0,
    text: (row) => rateText(row.callsPerS),
    key: (row) => row.callsPerS,
  },
  {
    title: "ERRORS",
    align: "right",
    cells: 7,
    fromWidth: 0,
    text: (row) => shareText(row.errors),
    key: (row) => row.errors,
    style: (row) => errorStyle(row.errors),
  },
  {
    title: "P50",
    align: "right",
    cells: 8,
    fromWidth: 0,
    text: (row) => durationText(row.p50Ns),
    key: (row) => row.p50Ns ?? -1,
  },
  {
    title: "P99",
    align: "right",
    cells: 8,
    fromWidth: 0,
    text: (row) => durationText(row.p99Ns),
    key: (row) => row.p99Ns ?? -1,
  },
  {
    title: "TOTAL",
    align: "right",
    cells: 10,
    fromWidth: 72,
    text: (row) => countText(row.total),
    key: (row) => row.total,
  },
];

export const TRACE_COLUMNS: readonly ListColumn<TraceHead>[] = [
  {
    title: "START",
    align: "left",
    cells: 12,
    fromWidth: 0,
    text: ({ root }) => clockText(root.start_unix_ns),
    key: ({ root }) => Number(root.start_unix_ns / 1_000n),
  },
  {
    title: "TOOK",
    align: "right",
    cells: 8,
    fromWidth: 0,
    text: ({ root }) => durationText(durationOf(root)),
    key: ({ root }) => durationOf(root),
  },
  {
    title: "SPANS",
    align: "right",
    cells: 5,
    fromWidth: 0,
    text: ({ spans }) => String(spans),
    key: ({ spans }) => spans,
  },
  {
    title: "STATUS",
    align: "left",
    cells: 12,
    fromWidth: 60,
    text: ({ root, errors }) => statusText(root.status, root.response_code, errors),
    key: ({ root, errors }) => `${errors > 0 ? 1 : 0}${root.status}`,
    style: ({ errors }) => errorStyle(errors),
  },
  {
    title: "SERVICE",
    align: "left",
    cells: 18,
    fromWidth: 88,
    text: ({ root }) => serviceNameOf(root),
    key: ({ root }) => serviceNameOf(root),
  },
  {
    title: "REQUEST",
    align: "left",
    cells: 0,
    fromWidth: 0,
    text: ({ root }) => requestText(root),
    key: ({ root }) => requestText(root),
  },
];

/** "ok 200", "500", "ok, 2 failed" where the trouble is below the root. */
function statusText(status: string, code: number | null, errors: number): string {
  const own = code === null ? status : status === "ok" ? `ok ${code}` : String(code);
  return errors > 0 && status === "ok" ? `ok, ${errors} failed` : own;
}
