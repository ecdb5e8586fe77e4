// SPDX-License-Identifier: Apache-2.0
// Lines in the order in which their messages began, each held until its message has ended.

import type { Message } from "../../model/message.ts";
import { addLate, type DecodeLine, type LateFacts } from "./decode_line.ts";

/** Lines waiting behind one whose message has not ended; beyond, it goes out as it is. */
const LINES_MAX = 4_096;

type MessageId = Message["id"];

interface Entry {
  readonly line: DecodeLine;
  open: boolean;
}

/** One direction of one connection. */
export const laneOf = (conn: number, toServer: boolean): number => conn * 2 + (toServer ? 1 : 0);

export class OpenLines {
  readonly #print: (line: DecodeLine) => void;
  /** From #next on; what is before has gone out. */
  readonly #queue: Entry[] = [];
  #next = 0;
  /** Lines whose message goes on, by the lane and id it has there. */
  readonly #open = new Map<string | number, Entry>();

  constructor(print: (line: DecodeLine) => void) {
    this.#print = print;
  }

  /** `more`: an end is to come. */
  add(line: DecodeLine, lane: number, id: MessageId, more: boolean): void {
    if (!more && this.#queue.length === 0) return this.#print(line);
    const entry = { line, open: more };
    this.#queue.push(entry);
    if (more) this.#open.set(keyOf(lane, id), entry);
    this.#flush();
  }

  end(lane: number, id: MessageId, late: LateFacts): void {
    if (this.#open.size === 0) return;
    const key = keyOf(lane, id);
    const entry = this.#open.get(key);
    if (entry === undefined) return;
    addLate(entry.line, late);
    entry.open = false;
    this.#open.delete(key);
    this.#flush();
  }

  /** Nothing follows: what is still open goes out. */
  close(): void {
    for (const { line } of this.#queue.slice(this.#next)) this.#print(line);
    this.#queue.length = this.#next = 0;
    this.#open.clear();
  }

  #flush(): void {
    const queue = this.#queue;
    for (let entry = queue[this.#next]; entry !== undefined; entry = queue[this.#next]) {
      if (entry.open && queue.length - this.#next <= LINES_MAX) break;
      this.#print(entry.line);
      this.#next++;
    }
    if (this.#next === queue.length) queue.length = this.#next = 0;
    else if (this.#next >= LINES_MAX) {
      queue.splice(0, this.#next);
      this.#next = 0;
    }
  }
}

const keyOf = (lane: number, id: MessageId) => id === null ? lane : `${lane} ${id}`;
