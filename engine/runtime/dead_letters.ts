// SPDX-License-Identifier: Apache-2.0
// Records on which a stage failed: the newest ones to look at, all of them counted.

export interface DeadLetter {
  /** Id of the node that failed. */
  readonly node: string;
  readonly during: "push" | "advance" | "end" | "write";
  /**
   * The record, by reference: bytes borrowed from a drain may have been overwritten since. The
   * first of the batch after a failed write; undefined for `advance` and `end`.
   */
  readonly record: unknown;
  /** Records lost by this failure: 1 for a push, a whole batch for a write, 0 otherwise. */
  readonly records: number;
  readonly cause: unknown;
}

export interface DeadLetters extends Iterable<DeadLetter> {
  /** Failures so far, kept or not. */
  readonly total: number;
}

export class DeadLetterBox implements DeadLetters {
  readonly #lettersMax: number;
  readonly #letters: DeadLetter[] = [];
  #total = 0;

  constructor(lettersMax: number) {
    this.#lettersMax = lettersMax;
  }

  get total(): number {
    return this.#total;
  }

  add(letter: DeadLetter): void {
    if (this.#lettersMax > 0) this.#letters[this.#total % this.#lettersMax] = letter;
    this.#total++;
  }

  /** The kept letters, oldest first. */
  *[Symbol.iterator](): Generator<DeadLetter> {
    const oldest = this.#total > this.#letters.length ? this.#total % this.#lettersMax : 0;
    yield* this.#letters.slice(oldest);
    yield* this.#letters.slice(0, oldest);
  }
}

/** One line for people: which stage, what, why. */
export function formatDeadLetter({ node, during, records, cause }: DeadLetter): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  const what = during === "write" ? `${records} records` : during === "push" ? "a record" : during;
  return `${node} failed on ${what}: ${why}`;
}
