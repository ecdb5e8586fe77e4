// SPDX-License-Identifier: Apache-2.0
// Reads numbers, text and lines from the bytes of one direction, and says why when it cannot.
//
// The bytes at hand are a captured prefix of what passed: [start, end) is in the buffer, and up to
// `trueEnd` more bytes passed without being captured. One cursor is used again and again by
// `reset`. Methods move past what they return, unless their name begins with "peek" or "find".

import { decodeLatin1, decodeUtf8 } from "./text.ts";

/** Bytes beyond those that have passed so far are needed: read again when they are there. */
export class Truncated extends Error {
  /** Bytes, counted from where the cursor was reset, that must have passed. */
  needBytes = 0;
}

/** Bytes are needed that passed but were not captured. They will never come. */
export class Clipped extends Error {}

/**
 * The bytes are not what the protocol allows. Not an Error: nobody looks at the stack of what is
 * no bug, and taking one costs several times as much as reading a message.
 */
export class Malformed {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** The only instances that are thrown. */
export const TRUNCATED: Truncated = new Truncated("Cannot read on: the bytes have not come yet");
export const CLIPPED: Clipped = new Clipped("Cannot read on: the bytes were not captured");

export class Cursor {
  /** Raw access for hot loops: index of the next byte, and one past the last captured one. */
  buffer: Uint8Array = EMPTY;
  at = 0;
  end = 0;
  #start = 0;
  #trueEnd = 0;
  /** Made when a 64-bit or float read asks for it, for the buffer `#viewed`. */
  #view: DataView = EMPTY_VIEW;
  #viewed: Uint8Array = EMPTY;
  /** End of the frame that was entered, -1 outside; what `leave` restores. */
  #frameEnd = -1;
  #endOutside = 0;
  #trueEndOutside = 0;

  /** Places the cursor on buffer[start, end), of which [start, trueEnd) passed. */
  reset(buffer: Uint8Array, start: number, end: number, trueEnd: number): void {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
    this.#start = start;
    this.#trueEnd = trueEnd;
    this.#frameEnd = -1;
  }

  /** Bytes passed since `reset`. */
  get position(): number {
    return this.at - this.#start;
  }

  /** Moves to a position that `position` gave before. */
  rewind(position: number): void {
    this.at = this.#start + position;
  }

  /** Captured bytes from here on. */
  get captured(): number {
    return this.end > this.at ? this.end - this.at : 0;
  }

  /** Bytes that passed from here on, captured or not; inside a frame, up to its end. */
  get remaining(): number {
    return this.#trueEnd - this.at;
  }

  /** True when bytes that were not captured have been moved past. */
  get clipped(): boolean {
    return this.at > this.end;
  }

  /** Throws unless `n` captured bytes lie ahead. */
  need(n: number): void {
    if (this.at + n > this.end) this.#miss(n);
  }

  /** Throws unless all that lies ahead was captured; inside a frame, up to its end. */
  needAll(): void {
    this.need(this.remaining);
  }

  u8(): number {
    const at = this.at;
    if (at >= this.end) this.#miss(1);
    this.at = at + 1;
    return this.buffer[at] as number;
  }

  u16(): number {
    const at = this.#take(2), b = this.buffer;
    return (b[at] as number) << 8 | (b[at + 1] as number);
  }

  u16le(): number {
    const at = this.#take(2), b = this.buffer;
    return (b[at] as number) | (b[at + 1] as number) << 8;
  }

  u24(): number {
    const at = this.#take(3), b = this.buffer;
    return (b[at] as number) << 16 | (b[at + 1] as number) << 8 | (b[at + 2] as number);
  }

  u24le(): number {
    const at = this.#take(3), b = this.buffer;
    return (b[at] as number) | (b[at + 1] as number) << 8 | (b[at + 2] as number) << 16;
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  u32le(): number {
    return this.i32le() >>> 0;
  }

  u64(): bigint {
    return this.#data().getBigUint64(this.#take(8));
  }

  u64le(): bigint {
    return this.#data().getBigUint64(this.#take(8), true);
  }

  i8(): number {
    return this.u8() << 24 >> 24;
  }

  i16(): number {
    return this.u16() << 16 >> 16;
  }

  i16le(): number {
    return this.u16le() << 16 >> 16;
  }

  i32(): number {
    const at = this.#take(4), b = this.buffer;
    return (b[at] as number) << 24 | (b[at + 1] as number) << 16 | (b[at + 2] as number) << 8 |
      (b[at + 3] as number);
  }

  i32le(): number {
    const at = this.#take(4), b = this.buffer;
    return (b[at] as number) | (b[at + 1] as number) << 8 | (b[at + 2] as number) << 16 |
      (b[at + 3] as number) << 24;
  }

  i64(): bigint {
    return this.#data().getBigInt64(this.#take(8));
  }

  i64le(): bigint {
    return this.#data().getBigInt64(this.#take(8), true);
  }

  f32(): number {
    return this.#data().getFloat32(this.#take(4));
  }

  f64(): number {
    return this.#data().getFloat64(this.#take(8));
  }

  f64le(): number {
    return this.#data().getFloat64(this.#take(8), true);
  }

  /** The next `n` bytes, borrowed: copy what outlives the call of `read`. */
  bytes(n: number): Uint8Array {
    const at = this.#take(n);
    return this.buffer.subarray(at, at + n);
  }

  /** The next `n` bytes as UTF-8; bytes that are none become U+FFFD. */
  text(n: number): string {
    const at = this.#take(n);
    return decodeUtf8(this.buffer, at, at + n);
  }

  /** The next `n` bytes, each as the character of the same number. */
  latin1(n: number): string {
    const at = this.#take(n);
    return decodeLatin1(this.buffer, at, at + n);
  }

  /**
   * As much of the next `n` bytes as was captured, as UTF-8, at most `bytesMax` of them; moves
   * past all `n`. For long statements and paths; `clipped` tells afterwards whether it was cut.
   */
  textCaptured(n: number, bytesMax: number = n): string {
    const at = this.at;
    this.skip(n);
    const end = Math.min(at + n, at + bytesMax, this.end);
    return end <= at ? "" : decodeUtf8(this.buffer, at, end);
  }

  /** The text up to the next NUL, which is passed as well. */
  cstring(): string {
    const n = this.find(0);
    if (n < 0) this.#miss(this.captured + 1);
    const text = this.text(n);
    this.at++;
    return text;
  }

  /**
   * The line up to CRLF or LF, which is passed as well, each byte as a character. Malformed when
   * it is longer than `bytesMax`.
   */
  line(bytesMax: number): string {
    const n = this.find(0x0a);
    if (n < 0 || n > bytesMax + 1) {
      if (n >= 0 || this.captured > bytesMax) throw new Malformed("line too long");
      this.#miss(this.captured + 1);
    }
    const at = this.at;
    this.at = at + n + 1;
    const end = n > 0 && this.buffer[at + n - 1] === 0x0d ? at + n - 1 : at + n;
    return decodeLatin1(this.buffer, at, end);
  }

  /** The byte `offset` bytes ahead. */
  peek(offset = 0): number {
    if (this.at + offset >= this.end) this.#miss(offset + 1);
    return this.buffer[this.at + offset] as number;
  }

  /** As `peek`, but -1 where there is no captured byte. */
  peekOr(offset: number): number {
    const at = this.at + offset;
    return at < this.end ? this.buffer[at] as number : -1;
  }

  /** Bytes from here to the first `byte`, from `from` bytes ahead on, or -1. */
  find(byte: number, from = 0): number {
    const b = this.buffer, end = this.end;
    for (let i = this.at + from; i < end; i++) if (b[i] === byte) return i - this.at;
    return -1;
  }

  /** Bytes from here to the first CRLF, or -1. */
  findCrlf(from = 0): number {
    const b = this.buffer, last = this.end - 1;
    for (let i = this.at + from; i < last; i++) {
      if (b[i] === 0x0d && b[i + 1] === 0x0a) return i - this.at;
    }
    return -1;
  }

  /** Moves past `n` bytes that must have passed but need not be captured. */
  skip(n: number): void {
    if (n < 0) throw new Malformed("negative length");
    if (this.at + n > this.#trueEnd) this.#missPassed(n);
    this.at += n;
  }

  /**
   * Enters a frame of `n` bytes that must have passed: until `leave`, a read past its end is
   * Malformed, and `captured` and `remaining` end there.
   */
  enter(n: number): void {
    if (this.#frameEnd >= 0) throw new Malformed("frame within a frame");
    if (n < 0) throw new Malformed("negative length");
    if (this.at + n > this.#trueEnd) this.#missPassed(n);
    this.#frameEnd = this.at + n;
    this.#endOutside = this.end;
    this.#trueEndOutside = this.#trueEnd;
    this.end = Math.min(this.end, this.#frameEnd);
    this.#trueEnd = this.#frameEnd;
  }

  /** Moves to the end of the frame, whatever of it was read. */
  leave(): void {
    this.at = this.#frameEnd;
    this.#frameEnd = -1;
    this.end = this.#endOutside;
    this.#trueEnd = this.#trueEndOutside;
  }

  #take(n: number): number {
    const at = this.at;
    if (n < 0) throw new Malformed("negative length");
    if (at + n > this.end) this.#miss(n);
    this.at = at + n;
    return at;
  }

  #data(): DataView {
    if (this.#viewed !== this.buffer) {
      const { buffer, byteOffset, byteLength } = this.buffer;
      this.#view = new DataView(buffer, byteOffset, byteLength);
      this.#viewed = this.buffer;
    }
    return this.#view;
  }

  /** `n` bytes from here are not all captured. */
  #miss(n: number): never {
    // Behind bytes that were not captured, what comes next may be captured again.
    const clipped = this.end < this.#trueEnd && this.at < this.#trueEnd;
    if (clipped && (this.#frameEnd < 0 || this.at + n <= this.#trueEnd)) throw CLIPPED;
    this.#missPassed(n);
  }

  /** `n` bytes from here have not all passed. */
  #missPassed(n: number): never {
    if (this.#frameEnd >= 0) throw new Malformed("frame too short");
    TRUNCATED.needBytes = this.at + n - this.#start;
    throw TRUNCATED;
  }
}

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);
