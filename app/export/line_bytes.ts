// SPDX-License-Identifier: Apache-2.0
// Lines of JSON as bytes, written straight into one buffer that is used again and again. As text
// they would be made twice, and half of all memory that tracing turns over would be theirs.

const BYTES_MIN = 4_096;
/** Bytes that a number or an id takes at most. */
const NUMBER_BYTES = 32;
const QUOTE = 34, MINUS = 45, ZERO = 48, BACKSLASH = 92;
const BILLION = 1_000_000_000;
const HEX = new TextEncoder().encode("0123456789abcdef");

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const long = new BigUint64Array(1);
const halves = new Uint32Array(long.buffer);

export class LineBytes {
  #bytes = new Uint8Array(BYTES_MIN);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** What has been written: borrowed until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  text(): string {
    return decoder.decode(this.written());
  }

  clear(): void {
    this.#at = 0;
  }

  append(part: Uint8Array): void {
    this.#makeRoom(part.length);
    const bytes = this.#bytes;
    let at = this.#at;
    // A call of `set` costs as much as this loop over a hundred bytes.
    if (part.length > 100) bytes.set(part, at);
    else for (let i = 0; i < part.length; i++) bytes[at + i] = part[i] ?? 0;
    this.#at = at += part.length;
  }

  /** Any text, as it is. */
  raw(text: string): void {
    this.#makeRoom(3 * text.length);
    const bytes = this.#bytes;
    const from = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 128) return this.#encode(text);
      bytes[from + i] = code;
    }
    this.#at = from + text.length;
  }

  /** A text as JSON writes it, in quotes. */
  quoted(text: string): void {
    this.#makeRoom(text.length + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 32 || code >= 127 || code === QUOTE || code === BACKSLASH) {
        return this.raw(JSON.stringify(text));
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  /** A number as JSON writes it. */
  number(value: number): void {
    this.#makeRoom(NUMBER_BYTES);
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      return this.raw(JSON.stringify(value));
    }
    if (value < 0) this.#bytes[this.#at++] = MINUS;
    this.#whole(Math.abs(value));
  }

  /** 64 bits without a sign, in decimal. */
  long(value: bigint): void {
    this.#makeRoom(NUMBER_BYTES);
    long[0] = value;
    const low = halves[0] ?? 0, high = halves[1] ?? 0;
    if (high < 0x20_0000) return this.#whole(high * 2 ** 32 + low);
    // Divided by a billion, sixteen bits at a time, so that every step is exact.
    let quotient = 0, rest = 0;
    for (const part of [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff]) {
      rest = rest * 65_536 + part;
      const digit = Math.floor(rest / BILLION);
      quotient = quotient * 65_536 + digit;
      rest -= digit * BILLION;
    }
    this.#digits(quotient, 1);
    this.#digits(rest, 9);
  }

  /** 16 hex digits. */
  hex(value: bigint): void {
    this.#makeRoom(NUMBER_BYTES);
    long[0] = value;
    const low = halves[0] ?? 0, high = halves[1] ?? 0;
    const bytes = this.#bytes;
    for (let shift = 28; shift >= 0; shift -= 4) {
      bytes[this.#at++] = HEX[(high >>> shift) & 15] ?? 0;
    }
    for (let shift = 28; shift >= 0; shift -= 4) {
      bytes[this.#at++] = HEX[(low >>> shift) & 15] ?? 0;
    }
  }

  /** Up to 2^53 - 1; beyond 2^49 a tenth of it would be rounded. */
  #whole(value: number): void {
    if (value < 2 ** 49) return this.#digits(value, 1);
    const rest = value % BILLION;
    this.#digits((value - rest) / BILLION, 1);
    this.#digits(rest, 9);
  }

  /** A whole number below 2^49, with zeros in front up to `digitsMin`. */
  #digits(value: number, digitsMin: number): void {
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits++;
    if (digits < digitsMin) digits = digitsMin;
    let rest = value;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      this.#bytes[at] = ZERO + rest - 10 * next;
      rest = next;
    }
    this.#at += digits;
  }

  #encode(text: string): void {
    this.#at += encoder.encodeInto(text, this.#bytes.subarray(this.#at)).written;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#at + bytes));
    larger.set(this.written());
    this.#bytes = larger;
  }
}
