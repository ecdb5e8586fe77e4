// SPDX-License-Identifier: Apache-2.0
// The terminal as a screen of lines: taken over, drawn by difference, and given back.

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Where bytes go: standard output, or memory in tests. */
export type WriteText = (text: string) => void;

const ALTERNATE_SCREEN = "\x1b[?1049h";
const NORMAL_SCREEN = "\x1b[?1049l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const RESET = "\x1b[0m";
/** Terminals that know it show what comes between these at once; others ignore them. */
const BEGIN_UPDATE = "\x1b[?2026h";
const END_UPDATE = "\x1b[?2026l";

export class Screen implements Disposable {
  readonly #write: WriteText;
  #shown: readonly string[] = [];
  #size: ScreenSize = { columns: 0, rows: 0 };
  #isOpen = true;

  constructor(write: WriteText) {
    this.#write = write;
    write(ALTERNATE_SCREEN + HIDE_CURSOR + NO_WRAP);
  }

  /** Writes the lines that differ from what is shown. A new size redraws all. */
  draw(lines: readonly string[], size: ScreenSize): void {
    if (!this.#isOpen) return;
    const isResized = size.columns !== this.#size.columns || size.rows !== this.#size.rows;
    let text = isResized ? `${RESET}\x1b[2J` : "";
    for (let row = 0; row < size.rows; row++) {
      const line = lines[row] ?? "";
      if (!isResized && line === (this.#shown[row] ?? "")) continue;
      text += `\x1b[${row + 1};1H${line}${RESET}\x1b[K`;
    }
    this.#shown = lines.slice(0, size.rows);
    this.#size = size;
    if (text !== "") this.#write(BEGIN_UPDATE + text + END_UPDATE);
  }

  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#write(RESET + WRAP + SHOW_CURSOR + NORMAL_SCREEN);
  }
}
