// SPDX-License-Identifier: Apache-2.0
// The keys of the live view.

import type { Paint } from "../terminal/style.ts";

export function helpLines(paint: Paint): string[] {
  return [
    "",
    paint("bold", " Keys"),
    "",
    ...KEYS.map(([key, what]) => `   ${paint("cyan", key.padEnd(18))}${what}`),
    "",
    paint("bold", " Columns"),
    "",
    "   REQ/S, ERRORS, P50, P99 are of the last minute and of what a service answers;",
    "   of a service that only calls others, they are of its calls. START is local time.",
    "",
    paint("dim", " Any key goes back."),
  ];
}

const KEYS = [
  ["Tab, Shift-Tab", "next or previous list"],
  ["Up, Down, j, k", "choose a row; PgUp, PgDn, Home and End go further"],
  ["Enter", "waterfall of a trace; traces of a service"],
  ["Left, Right, 1-9", "sort by another column"],
  ["r", "turn the order round"],
  ["/", "show only what contains a text; Esc shows all again"],
  ["p, Space", "pause and go on; nothing is lost meanwhile"],
  ["g", "the dataflow: what each operator takes, gives, holds and drops"],
  ["q, Ctrl-C", "quit"],
] as const;
