// SPDX-License-Identifier: Apache-2.0
// The id of an assembled trace: the W3C id if exactly one occurs in it, else a hash of its root.

import type { Span } from "../../model/span.ts";

/** 32 lower-case hex digits. */
export function traceIdOf(root: Span, spans: Iterable<Span>): string {
  let found: string | null = null;
  for (const { trace_id_header } of spans) {
    if (trace_id_header === null || trace_id_header === found) continue;
    if (!/^[0-9a-f]{32}$/.test(trace_id_header)) continue;
    if (found !== null) return hashed(root.span_id);
    found = trace_id_header;
  }
  return found ?? hashed(root.span_id);
}

const hashedWith = 0x5350_414e_4452_454cn;

function hashed(id: bigint): string {
  const high = mixed(id ^ hashedWith);
  return high.toString(16).padStart(16, "0") + mixed(high ^ id).toString(16).padStart(16, "0");
}

/** The span id of the root of which a trace id is the hash; null if it is no such hash. */
export function rootIdOf(traceId: string): bigint | null {
  const high = BigInt(`0x${traceId.slice(0, 16)}`);
  const id = unmixed(high) ^ hashedWith;
  return hashed(id) === traceId ? id : null;
}

/** The finalizer of splitmix64: every bit of the input changes half of the output. */
function mixed(value: bigint): bigint {
  let z = BigInt.asUintN(64, value + 0x9e37_79b9_7f4a_7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return z ^ (z >> 31n);
}

/** Undoes it: each of its steps can be turned back. */
function unmixed(value: bigint): bigint {
  let z = unshifted(value, 31n);
  z = unshifted(BigInt.asUintN(64, z * 0x3196_42b2_d24d_8ec3n), 27n);
  z = unshifted(BigInt.asUintN(64, z * 0x96de_1b17_3f11_9089n), 30n);
  return BigInt.asUintN(64, z - 0x9e37_79b9_7f4a_7c15n);
}

/** The value of which `value` is the exclusive or with itself shifted. */
function unshifted(value: bigint, by: bigint): bigint {
  let z = value;
  for (let shift = by; shift < 64n; shift += by) z ^= value >> shift;
  return z;
}
