// SPDX-License-Identifier: Apache-2.0
// Puts the bytes of a handshake in order: they come in any order, and in several packets.

import { Cursor } from "../../../wire/cursor.ts";
import { type Hello, readHello } from "../tls/tls_hello.ts";

/** A hello with a key of the kind that quantum computers cannot break has some 1,800 bytes. */
const HELLO_BYTES_MAX = 4_096;
const CLIENT_HELLO = 1, SERVER_HELLO = 2;

export interface Crypto {
  readonly bytes: Uint8Array;
  readonly known: Uint8Array;
  /** So many from the start are there. */
  length: number;
}

export const newCrypto = (): Crypto => ({
  bytes: new Uint8Array(HELLO_BYTES_MAX),
  known: new Uint8Array(HELLO_BYTES_MAX),
  length: 0,
});

export function addCrypto(crypto: Crypto, offset: number, bytes: Uint8Array): void {
  const end = Math.min(HELLO_BYTES_MAX, offset + bytes.length);
  if (offset >= end) return;
  crypto.bytes.set(bytes.subarray(0, end - offset), offset);
  crypto.known.fill(1, offset, end);
  while (crypto.known[crypto.length] === 1) crypto.length++;
}

/** The hello, once it is whole. */
export function helloIn({ bytes, length }: Crypto, from: "client" | "server"): Hello | null {
  const size = 4 + ((bytes[1] ?? 0) << 16 | (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0));
  if (length < 4 || length < size) return null;
  if (bytes[0] !== (from === "client" ? CLIENT_HELLO : SERVER_HELLO)) return null;
  const cursor = new Cursor();
  cursor.reset(bytes, 0, size, size);
  cursor.enter(size);
  cursor.skip(4);
  return readHello(cursor, from, size);
}
