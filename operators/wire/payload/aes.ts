// SPDX-License-Identifier: Apache-2.0
// AES-128 of single blocks, and the counter mode that GCM encrypts with, synchronous and small.

const BLOCK_BYTES = 16;
const ROUNDS = 10;

let sbox: Uint8Array | null = null;

const double = (byte: number): number => (byte << 1 ^ (byte >> 7) * 0x11b) & 0xff;

/** Inverses in the field of 256 elements, turned and mixed (FIPS 197, 5.1.1). */
function makeSbox(): Uint8Array {
  const box = new Uint8Array(256);
  let p = 1, q = 1;
  do {
    p = p ^ double(p);
    q ^= q << 1;
    q ^= q << 2;
    q = (q ^ q << 4) & 0xff;
    if ((q & 0x80) !== 0) q ^= 0x09;
    const turned = q ^ turn(q, 1) ^ turn(q, 2) ^ turn(q, 3) ^ turn(q, 4);
    box[p] = turned ^ 0x63;
  } while (p !== 1);
  box[0] = 0x63;
  return box;
}

const turn = (byte: number, bits: number): number => (byte << bits | byte >> 8 - bits) & 0xff;

/** The keys of all rounds, one after the other. */
export function expandKey(key: Uint8Array): Uint8Array {
  const box = sbox ??= makeSbox();
  const keys = new Uint8Array(BLOCK_BYTES * (ROUNDS + 1));
  keys.set(key.subarray(0, BLOCK_BYTES));
  let constant = 1;
  for (let at = BLOCK_BYTES; at < keys.length; at += 4) {
    const first = at % BLOCK_BYTES === 0;
    for (let i = 0; i < 4; i++) {
      let byte = keys[at - 4 + (first ? (i + 1) % 4 : i)] as number;
      if (first) byte = (box[byte] as number) ^ (i === 0 ? constant : 0);
      keys[at + i] = (keys[at + i - BLOCK_BYTES] as number) ^ byte;
    }
    if (first) constant = double(constant);
  }
  return keys;
}

/** Encrypts the 16 bytes of `block` in place. */
export function encryptBlock(keys: Uint8Array, block: Uint8Array): void {
  const box = sbox ??= makeSbox();
  const moved = new Uint8Array(BLOCK_BYTES);
  addKey(block, keys, 0);
  for (let round = 1; round <= ROUNDS; round++) {
    // Row i of the columns moves i columns to the left.
    for (let i = 0; i < BLOCK_BYTES; i++) {
      moved[i] = box[block[(i + 4 * (i % 4)) % BLOCK_BYTES] as number] as number;
    }
    if (round < ROUNDS) mixColumns(moved);
    block.set(moved);
    addKey(block, keys, round * BLOCK_BYTES);
  }
}

function addKey(block: Uint8Array, keys: Uint8Array, at: number): void {
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (block[i] as number) ^ (keys[at + i] as number);
}

function mixColumns(block: Uint8Array): void {
  for (let at = 0; at < BLOCK_BYTES; at += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = block.subarray(at, at + 4);
    const all = a ^ b ^ c ^ d;
    block[at] = a ^ all ^ double(a ^ b);
    block[at + 1] = b ^ all ^ double(b ^ c);
    block[at + 2] = c ^ all ^ double(c ^ d);
    block[at + 3] = d ^ all ^ double(d ^ a);
  }
}

/** The text of an AES-128-GCM message, whose tag is not looked at. `nonce` has 12 bytes. */
export function decryptGcm(
  keys: Uint8Array,
  nonce: Uint8Array,
  encrypted: Uint8Array,
): Uint8Array {
  const plain = new Uint8Array(encrypted.length);
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0, counter = 2; at < encrypted.length; at += BLOCK_BYTES, counter++) {
    block.set(nonce);
    new DataView(block.buffer).setUint32(12, counter);
    encryptBlock(keys, block);
    for (let i = at; i < Math.min(at + BLOCK_BYTES, encrypted.length); i++) {
      plain[i] = (encrypted[i] as number) ^ (block[i - at] as number);
    }
  }
  return plain;
}
