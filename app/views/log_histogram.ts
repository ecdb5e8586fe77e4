// SPDX-License-Identifier: Apache-2.0
// Durations counted in buckets of equal ratio: quantiles within 4.5 %, in a kilobyte.

/** Eight buckets per doubling, from one microsecond to about 18 minutes. */
const BUCKETS_PER_DOUBLING = 8;
const BUCKETS = 30 * BUCKETS_PER_DOUBLING;
const SMALLEST_NS = 1_000;

export class LogHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(durationNs: number): void {
    const ratio = Math.max(1, durationNs / SMALLEST_NS);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(ratio) * BUCKETS_PER_DOUBLING));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
  }

  addAll(other: LogHistogram): void {
    for (let i = 0; i < BUCKETS; i++) {
      this.#counts[i] = (this.#counts[i] ?? 0) + (other.#counts[i] ?? 0);
    }
    this.#total += other.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** Nanoseconds below which the share `q` of all durations lies; null when there are none. */
  quantile(q: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.max(1, Math.ceil(q * this.#total));
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#counts[i] ?? 0;
      if (left <= 0) return SMALLEST_NS * 2 ** ((i + 0.5) / BUCKETS_PER_DOUBLING);
    }
    return null;
  }
}
