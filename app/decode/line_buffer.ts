// SPDX-License-Identifier: Apache-2.0
// Lines on their way out, many in one write: a write costs as much as reading several messages.

import { LineBytes } from "../export/line_bytes.ts";

/** Bytes that wait at most. */
const BYTES_MAX = 1 << 16;

export class LineBuffer {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #lines = new LineBytes();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Where to append the next line, before `added` is called. */
  get lines(): LineBytes {
    return this.#lines;
  }

  /** What was added goes out at the latest when the program has nothing to read. */
  added(): void {
    if (this.#lines.length >= BYTES_MAX) this.flush();
    else this.#timer ??= setTimeout(() => this.flush());
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    this.#write(this.#lines.written());
    this.#lines.clear();
  }
}
