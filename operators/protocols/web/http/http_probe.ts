// SPDX-License-Identifier: Apache-2.0
// Do bytes look like HTTP/1? A method, a target and, as far as it can be seen, the version.

import type { Claim } from "../../../wire/protocol.ts";

const NO: Claim = { kind: "no" };
const MAYBE: Claim = { kind: "maybe" };
const REQUEST: Claim = { kind: "request", score: 95 };
const REQUEST_WITHOUT_VERSION: Claim = { kind: "request", score: 75 };
const RESPONSE: Claim = { kind: "response", score: 95 };

const METHOD_BYTES_MAX = 32;
/** So much of a path or URL is enough: the version may lie beyond all that is looked at. */
const PATH_BYTES = 2_048;

export function probeHttp(bytes: Uint8Array, length: number): Claim {
  const methodEnd = wordEnd(bytes);
  if (methodEnd === bytes.length) {
    // "HTTP" or a method, cut.
    return length === bytes.length && methodEnd <= METHOD_BYTES_MAX ? MAYBE : NO;
  }
  if (bytes[methodEnd] === 0x2f) return probeResponse(bytes, length, methodEnd);
  if (methodEnd < 3 || methodEnd > METHOD_BYTES_MAX || bytes[methodEnd] !== 0x20) return NO;
  return probeRequest(bytes, length, methodEnd + 1);
}

function probeResponse(bytes: Uint8Array, length: number, slash: number): Claim {
  if (slash !== 4 || text(bytes, 0, 4) !== "HTTP") return NO;
  const rest = text(bytes, 4, Math.min(bytes.length, 10));
  if (!/^\/1?$|^\/1\.[01]?$|^\/1\.[01] ?$|^\/1\.[01] [1-9]/.test(rest)) return NO;
  if (rest.length === 6) return RESPONSE;
  return length === bytes.length ? MAYBE : NO;
}

function probeRequest(bytes: Uint8Array, length: number, start: number): Claim {
  const stop = Math.min(bytes.length, start + PATH_BYTES);
  for (let i = start; i < stop; i++) {
    const c = bytes[i] as number;
    if (c === 0x0a) return endsInVersion(bytes, start, i) ? REQUEST : NO;
    if (c < 0x20 && c !== 0x0d) return NO;
  }
  if (start === bytes.length) return MAYBE;
  // The line is cut. Any path is enough where the rest was not captured.
  if (stop < bytes.length || length > bytes.length) {
    const isTarget = bytes[start] === 0x2f || text(bytes, start, start + 7) === "http://";
    return isTarget ? REQUEST_WITHOUT_VERSION : NO;
  }
  return MAYBE;
}

function endsInVersion(bytes: Uint8Array, start: number, lf: number): boolean {
  const end = bytes[lf - 1] === 0x0d ? lf - 1 : lf;
  if (end - start < 10) return false;
  const version = text(bytes, end - 9, end);
  return version === " HTTP/1.1" || version === " HTTP/1.0";
}

/** Index of the first byte that is no letter of a method. */
function wordEnd(bytes: Uint8Array): number {
  let i = 0;
  for (; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (!(c >= 0x41 && c <= 0x5a) && c !== 0x2d && c !== 0x5f) break;
  }
  return i;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  let out = "";
  const stop = Math.min(end, bytes.length);
  for (let i = start; i < stop; i++) out += String.fromCharCode(bytes[i] as number);
  return out;
}
