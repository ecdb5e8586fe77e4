// SPDX-License-Identifier: Apache-2.0
// A map for keys that come and go by the hundred thousand a second.
//
// A JavaScript Map that loses as many keys as it gains moves to a new table now and then, and V8
// lets each old table point to the next. One dead table that has reached the old generation so
// keeps all later ones alive, with what they held, until the next full collection: a third of the
// time of the whole pipeline went into moving such dead objects about. This table stays where it
// is: open addressing with linear probing, at most half full.

const placesMin = 16;

/** Keys are equal by `===`, so bigints and texts by value. Values are anything but undefined. */
export class HashTable<K, V> {
  readonly #hashOf: (key: K) => number;
  /** Hash of the key at a place; only where there is one. */
  #hashes = new Int32Array(placesMin);
  #keys: (K | undefined)[] = emptyPlaces(placesMin);
  #values: (V | undefined)[] = emptyPlaces(placesMin);
  #size = 0;

  /** `hashOf`: any 32 bits, of which the low ones differ most. */
  constructor(hashOf: (key: K) => number) {
    this.#hashOf = hashOf;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#values[this.#placeOf(key, this.#hashOf(key) | 0)];
  }

  set(key: K, value: V): void {
    const hash = this.#hashOf(key) | 0;
    let place = this.#placeOf(key, hash);
    if (this.#values[place] === undefined) {
      if (2 * (this.#size + 1) > this.#keys.length) {
        this.#grow();
        place = this.#placeOf(key, hash);
      }
      this.#size++;
      this.#hashes[place] = hash;
      this.#keys[place] = key;
    }
    this.#values[place] = value;
  }

  delete(key: K): boolean {
    const keys = this.#keys, values = this.#values, hashes = this.#hashes;
    const mask = keys.length - 1;
    let hole = this.#placeOf(key, this.#hashOf(key) | 0);
    if (values[hole] === undefined) return false;
    // What lies behind, up to the next empty place, moves up where its search would end too early.
    for (let place = (hole + 1) & mask; values[place] !== undefined; place = (place + 1) & mask) {
      const hash = hashes[place] ?? 0;
      if (((place - hash) & mask) < ((place - hole) & mask)) continue;
      hashes[hole] = hash;
      keys[hole] = keys[place];
      values[hole] = values[place];
      hole = place;
    }
    keys[hole] = undefined;
    values[hole] = undefined;
    this.#size--;
    return true;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#keys.fill(undefined);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** In no particular order, which is the same for the same history. */
  *values(): Generator<V> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }

  /** Where the key is, or the empty place where it would be. */
  #placeOf(key: K, hash: number): number {
    const mask = this.#keys.length - 1;
    let place = hash & mask;
    while (this.#values[place] !== undefined && this.#keys[place] !== key) {
      place = (place + 1) & mask;
    }
    return place;
  }

  #grow(): void {
    const keys = this.#keys, values = this.#values, hashes = this.#hashes;
    this.#hashes = new Int32Array(2 * keys.length);
    this.#keys = emptyPlaces(2 * keys.length);
    this.#values = emptyPlaces(2 * keys.length);
    for (let from = 0; from < keys.length; from++) {
      const key = keys[from];
      if (values[from] === undefined || key === undefined) continue;
      const hash = hashes[from] ?? 0;
      const place = this.#placeOf(key, hash);
      this.#hashes[place] = hash;
      this.#keys[place] = key;
      this.#values[place] = values[from];
    }
  }
}

function emptyPlaces<T>(places: number): (T | undefined)[] {
  return new Array<T | undefined>(places).fill(undefined);
}

const long = new BigUint64Array(1);
const halves = new Uint32Array(long.buffer);

/** Of 64 bits, mixed or not. Written to memory and read in halves, which makes no new bigint. */
export function hashOfLong(key: bigint): number {
  long[0] = key;
  return hashOfNumber((halves[0] ?? 0) ^ Math.imul(halves[1] ?? 0, 0x9e3779b1));
}

/** Of an integer. Numbers that rise by a fixed step fill all places. */
export function hashOfNumber(key: number): number {
  const mixed = Math.imul(key, 0x9e3779b1);
  return mixed ^ mixed >>> 15;
}

/** FNV-1a over the code units. */
export function hashOfText(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash ^ hash >>> 15;
}
