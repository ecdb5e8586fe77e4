// SPDX-License-Identifier: Apache-2.0
// Lines in the order in which their messages began, each held until its message has ended.

import { addLate, type DecodeLine, type LateFacts } from "./decode_line.ts";

/** Lines waiting behind one whose message has not ended; beyond, it goes out as it is. */
const LINES_MAX = 4_096;

export class OpenLines {
  readonly #print: (line: DecodeLine) => void;
  readonly #queue: { readonly line: DecodeLine; open: boolean }[] = [];
  /** Lines whose message goes on, by the lane and id it has there. */
  readonly #open = new Map<string, { readonly line: DecodeLine; open: boolean }>();

  constructor(print: (line: DecodeLine) => void) {
    this.#print = print;
  }

  /** `lane` names one direction of one connection; `more`: an end is to come. */
  add(line: DecodeLine, lane: string, id: string | null, more: boolean): void {
    const entry = { line, open: more };
    this.#queue.push(entry);
    if (more) this.#open.set(`${lane} ${id ?? ""}`, entry);
    this.#flush();
  }

  end(lane: string, id: string | null, late: LateFacts): void {
    const key = `${lane} ${id ?? ""}`;
    const entry = this.#open.get(key);
    if (entry === undefined) return;
    addLate(entry.line, late);
    entry.open = false;
    this.#open.delete(key);
    this.#flush();
  }

  /** Nothing follows: what is still open goes out. */
  close(): void {
    for (const { line } of this.#queue) this.#print(line);
    this.#queue.length = 0;
    this.#open.clear();
  }

  #flush(): void {
    let done = 0;
    for (const { open, line } of this.#queue) {
      if (open && this.#queue.length - done <= LINES_MAX) break;
      this.#print(line);
      done++;
    }
    this.#queue.splice(0, done);
  }
}
