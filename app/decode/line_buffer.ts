// SPDX-License-Identifier: Apache-2.0
// Lines on their way out, many in one write: a write costs as much as reading several messages.

/** Characters that wait at most. */
const TEXT_LENGTH_MAX = 1 << 16;

export class LineBuffer {
  readonly #write: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** What is added goes out at the latest when the program has nothing to read. */
  add(line: string): void {
    this.#text += line + "\n";
    if (this.#text.length >= TEXT_LENGTH_MAX) this.flush();
    else this.#timer ??= setTimeout(() => this.flush());
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }
}
