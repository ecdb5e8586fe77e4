// SPDX-License-Identifier: Apache-2.0
// How TLS 1.3 and QUIC derive keys (RFC 5869; RFC 8446, 7.1), with SHA-256 and an empty context.

import { createHmac } from "node:crypto";

const DIGEST_BYTES = 32;

/** HKDF-Extract: 32 bytes. */
export const extract = (salt: Uint8Array, secret: Uint8Array): Uint8Array =>
  createHmac("sha256", salt).update(secret).digest();

/** HKDF-Expand-Label, of one digest: at most 32 bytes. */
export function expandLabel(secret: Uint8Array, label: string, bytes: number): Uint8Array {
  if (bytes > DIGEST_BYTES) throw new Error(`Cannot expand to ${bytes} bytes: at most 32`);
  const text = new TextEncoder().encode(`tls13 ${label}`);
  const info = Uint8Array.of(0, bytes, text.length, ...text, 0, 1);
  return createHmac("sha256", secret).update(info).digest().subarray(0, bytes);
}
