// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { keysIn } from "./keys.ts";
import { afterKey, FIRST_STATE, type Shown, type ViewState } from "./view_state.ts";

const SHOWN: Shown = { ids: ["a", "b", "c", "d"], pageRows: 2, scrollMax: 5, columns: 6 };

/** The state after what a terminal sends for these keys. */
function type(text: string, state: ViewState = FIRST_STATE, shown = SHOWN): ViewState {
  return keysIn(new TextEncoder().encode(text))
    .reduce((state, key) => afterKey(state, key, shown), state);
}

Deno.test("arrows and pages choose a row and stop at the ends", () => {
  assert.equal(type("\x1b[B").chosen.id, "b");
  assert.equal(type("\x1b[B\x1b[B\x1bOA").chosen.id, "b");
  assert.equal(type("\x1b[6~").chosen.id, "c");
  assert.equal(type("\x1b[F").chosen.id, "d");
  assert.equal(type("\x1b[A").chosen.id, "a");
  assert.equal(type("\x1b[B", FIRST_STATE, { ...SHOWN, ids: [] }).chosen.id, "");
});

Deno.test("a chosen row keeps its id when the order changes, its place when it is gone", () => {
  const chosen = type("\x1b[B");
  assert.equal(type("\x1b[B", chosen, { ...SHOWN, ids: ["b", "a", "x"] }).chosen.id, "a");
  assert.equal(type("\x1b[B", chosen, { ...SHOWN, ids: ["x", "y", "z"] }).chosen.id, "z");
});

Deno.test("the filter is typed, edited, kept and cleared", () => {
  assert.equal(type("/reqd").filter, "reqd");
  assert.equal(type("/rq\x7fed\r").filter, "red");
  assert.equal(type("/rq\r").isTyping, false);
  assert.equal(type("/rq\rq").isQuitting, true);
  assert.equal(type("/rq\x1b").filter, "");
  assert.equal(type("/rq\r\x1b").filter, "");
});

Deno.test("Enter opens a trace and, on a service, its traces", () => {
  const traces = type("\t\x1b[B\r");
  assert.equal(traces.pane, "newest");
  assert.deepEqual(traces.opened, { id: "b", scroll: 0 });
  assert.equal(type("jjjjjjjj", traces).opened?.scroll, 5);
  assert.equal(type("jk\x1b[A", traces).opened?.scroll, 0);
  assert.equal(type("q", traces).opened, null);
  assert.equal(type("q", traces).isQuitting, false);
  assert.equal(type("\x1b", traces).opened, null);
  const service = type("\x1b[B\r");
  assert.deepEqual([service.pane, service.filter, service.opened], ["newest", "b", null]);
});

Deno.test("columns are chosen by arrow or number, r turns the order round", () => {
  assert.equal(type("\x1b[C").sorting.services.column, 3);
  assert.equal(type("\x1b[D\x1b[D\x1b[D").sorting.services.column, 5);
  assert.equal(type("1").sorting.services.column, 0);
  assert.equal(type("7").sorting.services.column, 2);
  assert.equal(type("r").sorting.services.descending, false);
});

Deno.test("pause, help and quit", () => {
  assert.equal(type("p").isPaused, true);
  assert.equal(type("pp").isPaused, false);
  assert.equal(type("?").isHelpShown, true);
  assert.equal(type("?q").isQuitting, false);
  assert.equal(type("g").isGraphShown, true);
  assert.equal(type("gx").isGraphShown, false);
  assert.equal(type("q").isQuitting, true);
});

Deno.test("unknown sequences and control characters do nothing", () => {
  assert.deepEqual(type("\x1b[200~\x1b[1;5C\x01\x1b[M"), FIRST_STATE);
});
