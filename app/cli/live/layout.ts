// SPDX-License-Identifier: Apache-2.0
// The picture of the live view: state and data in, lines of the screen out. Pure.

import { fit, harmless } from "../terminal/cell_text.ts";
import { bytesText, countText, rateText, shareText } from "../terminal/quantity_text.ts";
import type { Paint } from "../terminal/style.ts";
import { formatId } from "../../../model/span.ts";
import type { TraceHead } from "../../views/recent_traces.ts";
import { requestText } from "../../views/request_text.ts";
import { helpLines } from "./help.ts";
import { type ListColumn, SERVICE_COLUMNS, TRACE_COLUMNS } from "./list_columns.ts";
import { listLines, type ListPane, sortRows } from "./list_pane.ts";
import type { LiveData, Vitals } from "./live_data.ts";
import type { ScreenSize } from "./screen.ts";
import { indexOfChosen, type PaneName, PANES, type Shown, type ViewState } from "./view_state.ts";

export interface Picture {
  readonly lines: readonly string[];
  readonly shown: Shown;
}

/** What is drawn by others, when it is asked for. */
export interface Pages {
  /** The lines of an opened trace, or null when it is no longer at hand. */
  readonly waterfall: (id: string, columns: number) => readonly string[] | null;
  /** The lines of the dataflow graph with its rates. */
  readonly graph: () => readonly string[];
}

export function layOut(
  state: ViewState,
  data: LiveData,
  size: ScreenSize,
  paint: Paint,
  pages: Pages,
): Picture {
  const footer = footerLines(state, data.vitals, size.columns, paint);
  const bodyRows = Math.max(0, size.rows - 1 - footer.length);
  const body = state.isHelpShown
    ? { lines: helpLines(paint), shown: NOTHING_SHOWN }
    : state.isGraphShown
    ? { lines: pages.graph().map((line) => fit(line, size.columns)), shown: NOTHING_SHOWN }
    : state.opened !== null
    ? openedTrace(state.opened, pages.waterfall(state.opened.id, size.columns), bodyRows, paint)
    : lists(state, data, { columns: size.columns, rows: bodyRows }, paint);
  const lines = [titleLine(state, data, size.columns, paint), ...body.lines.slice(0, bodyRows)];
  while (lines.length < bodyRows + 1) lines.push("");
  return { lines: [...lines, ...footer].slice(0, size.rows), shown: body.shown };
}

const NOTHING_SHOWN: Shown = { ids: [], pageRows: 1, scrollMax: 0, columns: 1 };

function titleLine(state: ViewState, data: LiveData, columns: number, paint: Paint): string {
  const filter = state.isTyping || state.filter !== ""
    ? `  filter: ${harmless(state.filter)}${state.isTyping ? "▏" : ""}`
    : "";
  const pause = state.isPaused ? "  PAUSED (p goes on)" : "";
  return paint("reverse", fit(` spandrel  ${harmless(data.scope)}${filter}${pause}`, columns));
}

function lists(state: ViewState, data: LiveData, size: ScreenSize, paint: Paint): Picture {
  const traceId = ({ root }: TraceHead) => formatId(root.span_id);
  const panes: Readonly<Record<PaneName, SomePane>> = {
    services: makePane(state, "services", SERVICE_COLUMNS, {
      title: "Services",
      rows: data.services,
      idOf: (row) => row.service,
      textOf: (row) => `${row.service} ${row.protocols}`,
    }),
    newest: makePane(state, "newest", TRACE_COLUMNS, {
      title: "Newest traces",
      rows: data.newest,
      idOf: traceId,
      textOf: traceText,
    }),
    slowest: makePane(state, "slowest", TRACE_COLUMNS, {
      title: "Slowest traces",
      rows: data.slowest,
      idOf: traceId,
      textOf: traceText,
    }),
  };
  const heights = paneRows(size.rows, panes, state.pane);
  const lines = PANES.flatMap((name) => panes[name].lines(heights[name], size.columns, paint));
  const { ids, columns } = panes[state.pane];
  return {
    lines,
    shown: { ids, pageRows: Math.max(1, heights[state.pane] - 2), scrollMax: 0, columns },
  };
}

interface SomePane {
  readonly ids: readonly string[];
  readonly columns: number;
  readonly lines: (rows: number, columns: number, paint: Paint) => string[];
}

function makePane<Row>(
  state: ViewState,
  name: PaneName,
  columns: readonly ListColumn<Row>[],
  { title, rows, idOf, textOf }: {
    readonly title: string;
    readonly rows: readonly Row[];
    readonly idOf: (row: Row) => string;
    readonly textOf: (row: Row) => string;
  },
): SomePane {
  const wanted = state.filter.toLowerCase();
  const passing = rows.filter((row) => textOf(row).toLowerCase().includes(wanted));
  const sorting = state.sorting[name];
  const sorted = sortRows(passing, columns, sorting);
  const ids = sorted.map(idOf);
  const isFocused = state.pane === name;
  const chosen = isFocused ? indexOfChosen(state, ids) : -1;
  const pane: ListPane<Row> = { title, rows: sorted, columns, sorting, chosen, isFocused };
  return {
    ids,
    columns: columns.length,
    lines: (height, width, paint) => listLines(pane, height, width, paint),
  };
}

export function traceText({ root }: TraceHead): string {
  const { service, process, protocol, status, response_code } = root;
  return `${service} ${process} ${protocol} ${status} ${response_code ?? ""} ${requestText(root)}`;
}

/** Rows of each pane, heading included: services as many as there are, the rest to the traces. */
function paneRows(
  rows: number,
  panes: Readonly<Record<PaneName, SomePane>>,
  focused: PaneName,
): Record<PaneName, number> {
  if (rows < 15) return { services: 0, newest: 0, slowest: 0, [focused]: rows };
  const services = Math.min(panes.services.ids.length + 3, Math.floor(rows * 0.45));
  const newest = Math.ceil((rows - services) / 2);
  return { services, newest, slowest: rows - services - newest };
}

function openedTrace(
  opened: { readonly scroll: number },
  lines: readonly string[] | null,
  rows: number,
  paint: Paint,
): Picture {
  const all = lines ?? [paint("dim", "This trace is no longer in memory. Esc goes back.")];
  const scrollMax = Math.max(0, all.length - rows);
  const from = Math.min(opened.scroll, scrollMax);
  return {
    lines: all.slice(from, from + rows),
    shown: { ids: [], pageRows: Math.max(1, rows - 1), scrollMax, columns: 1 },
  };
}

function footerLines(state: ViewState, vitals: Vitals, columns: number, paint: Paint): string[] {
  const lost = vitals.drops.filter(({ count }) => count > 0)
    .map(({ reason, count }) => `${countText(count)} ${reason.replaceAll("_", " ")}`);
  const numbers = [
    `${rateText(vitals.eventsPerS)} events/s`,
    lost.length === 0 ? "no drops" : "",
    `cpu ${shareText(vitals.cpuShare)}`,
    `mem ${bytesText(vitals.memoryBytes)}`,
    `${countText(vitals.spans)} spans`,
    vitals.expired === 0 ? "" : `${countText(vitals.expired)} expired`,
    vitals.path,
    vitals.accuracy ?? "",
  ].filter((text) => text !== "").join(" · ");
  const keys = state.opened !== null ? "Esc back  q back" : "? help  q quit";
  const footer = `${fit(` ${numbers}`, Math.max(0, columns - keys.length - 2))} ${keys}`;
  return [
    ...(vitals.notice === "" ? [] : [paint("yellow", fit(` ${harmless(vitals.notice)}`, columns))]),
    ...(lost.length === 0 ? [] : [paint("red", fit(` dropped: ${lost.join(" · ")}`, columns))]),
    paint("reverse", fit(footer, columns)),
  ];
}
