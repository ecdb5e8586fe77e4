// SPDX-License-Identifier: Apache-2.0
// SHA-256, HMAC and HKDF (RFC 5869), synchronous and small: for the few bytes that protocols derive
// keys from, which are known to everyone on the way.

const BLOCK_BYTES = 64;

/** The first 32 bits of the fractional parts of roots of primes: cubic ones, and square ones. */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const words = new Uint32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate; factor++) {
      if (candidate % factor === 0) prime = false;
    }
    if (prime) words[found++] = root(candidate) % 1 * 2 ** 32;
  }
  return words;
}

let constants: { readonly rounds: Uint32Array; readonly start: Uint32Array } | null = null;

const rotate = (word: number, bits: number): number => word >>> bits | word << 32 - bits;

export function sha256(message: Uint8Array): Uint8Array {
  constants ??= { rounds: fractions(64, Math.cbrt), start: fractions(8, Math.sqrt) };
  const { rounds, start } = constants;
  const length = (message.length + 9 + BLOCK_BYTES - 1 & -BLOCK_BYTES) >>> 0;
  const padded = new Uint8Array(length);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(length - 4, message.length * 8);
  const state = start.slice();
  const words = new Uint32Array(64);
  for (let at = 0; at < length; at += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(at + 4 * i);
    mixBlock(state, words, rounds);
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  state.forEach((word, i) => out.setUint32(4 * i, word));
  return digest;
}

function mixBlock(state: Uint32Array, words: Uint32Array, rounds: Uint32Array): void {
  const word = (i: number) => words[i] as number;
  for (let i = 16; i < 64; i++) {
    const a = word(i - 15), b = word(i - 2);
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >>> 3;
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >>> 10;
    words[i] = word(i - 16) + s0 + word(i - 7) + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const one = h + s1 + (e & f ^ ~e & g) + (rounds[i] as number) + word(i) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const two = s0 + (a & b ^ a & c ^ b & c) | 0;
    h = g;
    g = f;
    f = e;
    e = d + one | 0;
    d = c;
    c = b;
    b = a;
    a = one + two | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => state[i] = (state[i] as number) + value);
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const inner = new Uint8Array(BLOCK_BYTES + message.length).fill(0x36, 0, BLOCK_BYTES);
  const outer = new Uint8Array(BLOCK_BYTES + 32).fill(0x5c, 0, BLOCK_BYTES);
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  short.forEach((byte, i) => {
    inner[i] = (inner[i] as number) ^ byte;
    outer[i] = (outer[i] as number) ^ byte;
  });
  inner.set(message, BLOCK_BYTES);
  outer.set(sha256(inner), BLOCK_BYTES);
  return sha256(outer);
}

/** HKDF-Expand-Label of TLS 1.3, with an empty context, of 32 bytes at most. */
export function expandLabel(secret: Uint8Array, label: string, bytes: number): Uint8Array {
  const text = `tls13 ${label}`;
  const info = new Uint8Array(text.length + 5);
  info[1] = bytes;
  info[2] = text.length;
  for (let i = 0; i < text.length; i++) info[3 + i] = text.charCodeAt(i);
  info[info.length - 1] = 1;
  return hmacSha256(secret, info).subarray(0, bytes);
}
