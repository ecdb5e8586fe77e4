// SPDX-License-Identifier: Apache-2.0
// Runs of a connection that nobody has claimed yet, in order and copied, and what the probes are
// to be asked about: the runs of one direction that no probe has rejected, as one text.

import type { ByteRun } from "../../model/byte_run.ts";
import type { Direction } from "../../model/capture_record.ts";

export class HeldRuns {
  readonly runs: ByteRun[] = [];
  /** Captured bytes held. */
  bytes = 0;
  readonly #ingress: ByteRun[] = [];
  readonly #egress: ByteRun[] = [];

  /** What was captured of the runs in this direction, up to the first hole. */
  bytesWith(run: ByteRun): Uint8Array {
    const runs = this.#asked(run);
    return runs.length === 0 ? run.bytes : joined([...runs, run]);
  }

  /** What is held undecided of a direction. */
  bytesOf(direction: Direction): Uint8Array {
    return joined(this.#of(direction));
  }

  /** Bytes that passed in these runs. */
  lengthWith(run: ByteRun): number {
    return this.#asked(run).reduce((sum, held) => sum + held.length, run.length);
  }

  /** Holds a run about which the probes are undecided. */
  add(run: ByteRun): void {
    this.#of(run.event.direction).push(this.#hold(run));
  }

  /** Holds a run that every probe rejected: the next one is asked about by itself. */
  addApart(run: ByteRun): void {
    this.#hold(run);
    this.#of(run.event.direction).length = 0;
  }

  /** Gives up what is held of a direction. */
  clear(direction: Direction): void {
    this.#of(direction).length = 0;
    const kept = this.runs.filter((run) => run.event.direction !== direction);
    this.runs.length = 0;
    this.runs.push(...kept);
    this.bytes = kept.reduce((sum, run) => sum + run.bytes.length, 0);
  }

  #hold(run: ByteRun): ByteRun {
    const copy = { ...run, bytes: run.bytes.slice() };
    this.runs.push(copy);
    this.bytes += copy.bytes.length;
    return copy;
  }

  /** Runs that are asked about together with `run`: none across a gap. */
  #asked(run: ByteRun): readonly ByteRun[] {
    return run.gap > 0 ? [] : this.#of(run.event.direction);
  }

  #of(direction: Direction): ByteRun[] {
    return direction === "ingress" ? this.#ingress : this.#egress;
  }
}

/** Captured bytes of the runs as one, up to the first hole. */
function joined(runs: readonly ByteRun[]): Uint8Array {
  const whole: Uint8Array[] = [];
  let total = 0;
  for (const { bytes, length } of runs) {
    whole.push(bytes);
    total += bytes.length;
    if (bytes.length < length) break;
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const bytes of whole) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}
