// SPDX-License-Identifier: Apache-2.0
// Text in the cells of a terminal: made harmless, measured, cut and padded.
//
// What is shown comes from other people's traffic. A control character in it could move the
// cursor, rename the window or type into the shell, so none gets through.

/** The text with every control character shown as a middle dot, and nothing else changed. */
export function harmless(text: string): string {
  return text.replace(CONTROL, "·");
}

/** Cells that the text takes: wide characters take two, combining ones none. */
export function cellsOf(text: string): number {
  if (!NON_ASCII.test(text)) return text.length;
  let cells = 0;
  for (const character of text) {
    if (COMBINING.test(character)) continue;
    cells += WIDE.test(character) ? 2 : 1;
  }
  return cells;
}

/** Exactly `cells` cells: cut with an ellipsis, or padded at the right (or left). */
export function fit(text: string, cells: number, align: "left" | "right" = "left"): string {
  if (cells <= 0) return "";
  const has = cellsOf(text);
  if (has > cells) return pad(cut(text, cells - 1) + "…", cells, align);
  return pad(text, cells, align);
}

function cut(text: string, cells: number): string {
  if (!NON_ASCII.test(text)) return text.slice(0, cells);
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += cellsOf(character);
    if (used > cells) break;
    kept += character;
  }
  return kept;
}

function pad(text: string, cells: number, align: "left" | "right"): string {
  const blanks = " ".repeat(Math.max(0, cells - cellsOf(text)));
  return align === "left" ? text + blanks : blanks + text;
}

// deno-lint-ignore no-control-regex -- these are the characters to keep out
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// deno-lint-ignore no-control-regex -- the ASCII range starts at a control character
const NON_ASCII = /[^\x00-\x7f]/;
const COMBINING = /^[\p{Mn}\p{Me}\u200b\u200d\ufe0f]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
