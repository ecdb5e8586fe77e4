// SPDX-License-Identifier: Apache-2.0
// Colours and emphasis, or none where the output is no terminal or the user wants none.

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan" | "reverse";

/** Puts a text between the codes of a style; with colours off it returns the text as it is. */
export type Paint = (style: Style, text: string) => string;

export const plainPaint: Paint = (_style, text) => text;

export const colourPaint: Paint = (style, text) => {
  const [on, off] = CODES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
};

/** Colours on a terminal only; NO_COLOR turns them off, FORCE_COLOR on, wherever it goes. */
export function paintFor(isTerminal: boolean, env: (name: string) => string | undefined): Paint {
  if (env("NO_COLOR")) return plainPaint;
  if (env("FORCE_COLOR")) return colourPaint;
  return isTerminal && env("TERM") !== "dumb" ? colourPaint : plainPaint;
}

const CODES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
  reverse: [7, 27],
};
