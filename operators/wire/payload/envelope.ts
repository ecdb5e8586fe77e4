// SPDX-License-Identifier: Apache-2.0
// Envelopes of messages, for readers: keys by id, or by destination and content.
//
// Content is what of the payload can be expected to be captured: its size and its first bytes. The
// hash is quick and not for secrets; what is stored of it is salted once more, see enrich.

import type { Envelope, EnvelopeRole } from "../../../model/queues/envelope.ts";
import type { Cursor } from "../cursor.ts";

/** Bytes of a payload that are looked at. */
export const CONTENT_BYTES_MAX = 1_024;

/** Keys of one message: those of a command that publishes many, at most. */
export const KEYS_MAX = 64;

const none: readonly bigint[] = [];

export function envelope(
  role: EnvelopeRole,
  {
    keys = none,
    by = "content",
    receipt = "",
    upTo = false,
    isAnswered = false,
    isPulled = false,
  }: Partial<Omit<Envelope, "role">> = {},
): Envelope {
  return { role, keys, by, receipt, upTo, isAnswered, isPulled };
}

/** By an id that both sides of the broker carry; by content where there is none. */
export function envelopeOf(
  role: EnvelopeRole,
  id: bigint | null,
  content: bigint | null,
  more: Pick<Partial<Envelope>, "receipt" | "isAnswered"> = {},
): Envelope {
  const key = id ?? content;
  const keys = key === null ? none : [key];
  return envelope(role, { keys, by: id === null ? "content" : "id", ...more });
}

/** The key of a message whose id is known at both sides. `parts`: system, topic, id … */
export function keyOfId(...parts: readonly string[]): bigint {
  begin();
  for (const part of parts) foldText(part);
  return hashed();
}

/**
 * The key of a message of which the next `bytes` are the payload. The cursor stays where it is.
 * Waits for as much as is looked at; null when that was not captured.
 */
export function keyOfContent(
  cursor: Cursor,
  bytes: number,
  ...parts: readonly string[]
): bigint | null {
  const looked = Math.min(bytes, CONTENT_BYTES_MAX);
  if (!isAtHand(cursor, looked)) return null;
  return keyOfBytes(cursor.buffer, cursor.at, looked, bytes, ...parts);
}

/** The same within a frame, of which all has passed: nothing is waited for. */
export function keyInFrame(
  cursor: Cursor,
  bytes: number,
  ...parts: readonly string[]
): bigint | null {
  const looked = Math.min(bytes, CONTENT_BYTES_MAX);
  if (cursor.captured < looked) return null;
  return keyOfBytes(cursor.buffer, cursor.at, looked, bytes, ...parts);
}

/** True if so many bytes ahead were captured; waits where they have not passed. */
export function isAtHand(cursor: Cursor, bytes: number): boolean {
  if (cursor.captured >= bytes) return true;
  if (cursor.remaining < bytes && cursor.captured === cursor.remaining) cursor.need(bytes);
  return false;
}

/** The same of bytes from `at` on; `size` is that of the whole payload. */
export function keyOfBytes(
  buffer: Uint8Array,
  at: number,
  bytes: number,
  size: number,
  ...parts: readonly string[]
): bigint {
  begin();
  for (const part of parts) foldText(part);
  fold(size);
  const end = at + bytes;
  let i = at;
  for (; i + 4 <= end; i += 4) {
    fold(
      (buffer[i] as number) | (buffer[i + 1] as number) << 8 | (buffer[i + 2] as number) << 16 |
        (buffer[i + 3] as number) << 24,
    );
  }
  for (; i < end; i++) fold(buffer[i] as number);
  return hashed();
}

let a = 0;
let b = 0;
const words = new Uint32Array(2);
const long = new BigUint64Array(words.buffer);

function begin(): void {
  a = 0x9747b28c | 0;
  b = 0x3c6ef372;
}

/** Two lanes of MurmurHash3 with constants of their own. */
function fold(value: number): void {
  let k = Math.imul(value, 0xcc9e2d51);
  k = k << 15 | k >>> 17;
  a ^= Math.imul(k, 0x1b873593);
  a = Math.imul(a << 13 | a >>> 19, 5) + 0xe6546b64 | 0;
  k = Math.imul(value ^ 0x27d4eb2f, 0x85ebca6b);
  k = k << 16 | k >>> 16;
  b ^= Math.imul(k, 0xc2b2ae35);
  b = Math.imul(b << 17 | b >>> 15, 5) + 0x38b34ae5 | 0;
}

function foldText(text: string): void {
  for (let i = 0; i < text.length; i++) fold(text.charCodeAt(i));
  fold(-text.length - 1);
}

function hashed(): bigint {
  words[0] = mix(a ^ b) & ~1;
  words[1] = mix(b + a | 0);
  const key = long[0] as bigint;
  return key === 0n ? 2n : key;
}

/** Finalizer of MurmurHash3: every bit of the input changes half of the bits of the output. */
function mix(value: number): number {
  let h = Math.imul(value ^ value >>> 16, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return h ^ h >>> 16;
}
