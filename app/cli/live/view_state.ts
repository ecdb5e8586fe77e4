// SPDX-License-Identifier: Apache-2.0
// What the user has chosen in the live view, and what each key changes of it.

import type { Key } from "./keys.ts";

export const PANES = ["services", "newest", "slowest"] as const;
export type PaneName = typeof PANES[number];

export interface Sorting {
  /** Index of a column. */
  readonly column: number;
  readonly descending: boolean;
}

export interface ViewState {
  readonly pane: PaneName;
  /** Id of the chosen row of the pane, and where it was when it was last seen. */
  readonly chosen: { readonly id: string; readonly index: number };
  readonly sorting: Readonly<Record<PaneName, Sorting>>;
  readonly filter: string;
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  readonly isHelpShown: boolean;
  readonly isGraphShown: boolean;
  /** Id of the row whose waterfall is shown. */
  readonly opened: { readonly id: string; readonly scroll: number } | null;
  readonly isQuitting: boolean;
}

export const FIRST_STATE: ViewState = {
  pane: "services",
  chosen: { id: "", index: 0 },
  sorting: {
    services: { column: 2, descending: true },
    newest: { column: 0, descending: true },
    slowest: { column: 1, descending: true },
  },
  filter: "",
  isTyping: false,
  isPaused: false,
  isHelpShown: false,
  isGraphShown: false,
  opened: null,
  isQuitting: false,
};

/** What the screen shows now, as far as keys need to know. */
export interface Shown {
  /** Ids of the rows of the chosen pane, in their order. */
  readonly ids: readonly string[];
  /** Rows that a page has; lines that a waterfall has beyond the screen. */
  readonly pageRows: number;
  readonly scrollMax: number;
  /** Columns of the chosen pane. */
  readonly columns: number;
}

/** The state after a key. */
export function afterKey(state: ViewState, key: Key, shown: Shown): ViewState {
  if (state.isTyping) return afterTyping(state, key);
  if (state.isHelpShown || state.isGraphShown) {
    return { ...state, isHelpShown: false, isGraphShown: false };
  }
  if (key.kind === "character") return afterCharacter(state, key.character, shown);
  if (state.opened !== null) return afterKeyInWaterfall(state, key.name, shown);
  switch (key.name) {
    case "tab":
      return toPane(state, 1);
    case "back_tab":
      return toPane(state, -1);
    case "left":
    case "right":
      return sortBy(state, shown.columns, key.name === "left" ? -1 : 1);
    case "enter":
      return open(state, shown);
    case "escape":
      return { ...state, filter: "" };
    default:
      return choose(state, shown, stepOf(key.name, shown.pageRows));
  }
}

/** The chosen row as it lies now: it keeps its id while that is shown, else its place. */
export function indexOfChosen({ chosen }: ViewState, ids: readonly string[]): number {
  const index = ids.indexOf(chosen.id);
  return index >= 0 ? index : Math.max(0, Math.min(chosen.index, ids.length - 1));
}

function afterTyping(state: ViewState, key: Key): ViewState {
  if (key.kind === "character") return { ...state, filter: state.filter + key.character };
  switch (key.name) {
    case "backspace":
      return { ...state, filter: [...state.filter].slice(0, -1).join("") };
    case "escape":
      return { ...state, filter: "", isTyping: false };
    case "enter":
      return { ...state, isTyping: false };
    default:
      return state;
  }
}

function afterCharacter(state: ViewState, character: string, shown: Shown): ViewState {
  switch (character) {
    case "q":
      return state.opened === null ? { ...state, isQuitting: true } : { ...state, opened: null };
    case "p":
    case " ":
      return { ...state, isPaused: !state.isPaused };
    case "/":
      return { ...state, isTyping: true, opened: null };
    case "?":
      return { ...state, isHelpShown: true };
    case "g":
      return { ...state, isGraphShown: true };
    case "r":
      return sorted(state, { descending: !state.sorting[state.pane].descending });
    case "j":
      return scrollOrChoose(state, shown, 1);
    case "k":
      return scrollOrChoose(state, shown, -1);
    default: {
      const column = Number(character) - 1;
      const isColumn = /^[1-9]$/.test(character) && column < shown.columns;
      return isColumn && state.opened === null ? sorted(state, { column }) : state;
    }
  }
}

function afterKeyInWaterfall(state: ViewState, name: string, shown: Shown): ViewState {
  if (["escape", "enter", "left", "backspace"].includes(name)) return { ...state, opened: null };
  return scroll(state, shown, stepOf(name, shown.pageRows));
}

function scrollOrChoose(state: ViewState, shown: Shown, step: number): ViewState {
  return state.opened === null ? choose(state, shown, step) : scroll(state, shown, step);
}

function stepOf(name: string, pageRows: number): number {
  const steps: Readonly<Record<string, number>> = {
    up: -1,
    down: 1,
    page_up: -pageRows,
    page_down: pageRows,
    home: -Infinity,
    end: Infinity,
  };
  return steps[name] ?? 0;
}

function choose(state: ViewState, { ids }: Shown, step: number): ViewState {
  const index = Math.max(0, Math.min(ids.length - 1, indexOfChosen(state, ids) + step));
  return { ...state, chosen: { id: ids[index] ?? "", index } };
}

function scroll(state: ViewState, { scrollMax }: Shown, step: number): ViewState {
  if (state.opened === null) return state;
  const at = Math.max(0, Math.min(scrollMax, state.opened.scroll + step));
  return { ...state, opened: { ...state.opened, scroll: at } };
}

/** A trace opens its waterfall, a service its traces. */
function open(state: ViewState, { ids }: Shown): ViewState {
  const id = ids[indexOfChosen(state, ids)];
  if (id === undefined) return state;
  if (state.pane !== "services") return { ...state, opened: { id, scroll: 0 } };
  return { ...state, filter: id, pane: "newest", chosen: FIRST_STATE.chosen };
}

function toPane(state: ViewState, step: number): ViewState {
  const next = (PANES.indexOf(state.pane) + step + PANES.length) % PANES.length;
  return { ...state, pane: PANES[next] ?? "services", chosen: FIRST_STATE.chosen };
}

function sortBy(state: ViewState, columns: number, step: number): ViewState {
  const { column } = state.sorting[state.pane];
  return sorted(state, { column: (column + step + columns) % columns });
}

function sorted(state: ViewState, change: Partial<Sorting>): ViewState {
  const sorting = { ...state.sorting[state.pane], ...change };
  return { ...state, sorting: { ...state.sorting, [state.pane]: sorting } };
}
