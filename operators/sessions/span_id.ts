// SPDX-License-Identifier: Apache-2.0
// Identity of a span: a hash of where its bytes lay, so that a replay gives the same one.

import type { Direction } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";

export interface SpanIds {
  /** hash(boot id, socket cookie, observer, direction, stream offset); never 0. */
  of(direction: Direction, offset: number): bigint;
}

/** Ids of the spans of one connection, in the boot that `bootId` names. */
export function spanIds(bootId: string, connection: Connection): SpanIds {
  const key = new Uint32Array([0x9747b28c, 0x3c6ef372]);
  for (let i = 0; i < bootId.length; i++) fold(key, bootId.charCodeAt(i));
  fold(key, Number(connection.cookie & 0xffffffffn));
  fold(key, Number(connection.cookie >> 32n & 0xffffffffn));
  fold(key, connection.observer === "nic" ? 1 : 0);
  const a = key[0] as number, b = key[1] as number;
  return {
    of(direction, offset) {
      const low = offset >>> 0;
      const high = (offset / 0x1_0000_0000 >>> 0) ^ (direction === "egress" ? 0x8000_0000 : 0);
      words[0] = mix(mix(a ^ low) + high);
      words[1] = mix(mix(b + low) ^ mix(high + 0x27d4eb2f));
      const id = long[0] as bigint;
      return id === 0n ? 1n : id;
    },
  };
}

const words = new Uint32Array(2);
const long = new BigUint64Array(words.buffer);

function fold(key: Uint32Array, value: number): void {
  key[0] = mix((key[0] as number) ^ value);
  key[1] = mix(((key[1] as number) + value) ^ (key[0] as number));
}

/** Finalizer of MurmurHash3: every bit of the input changes half of the bits of the output. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return h ^ h >>> 16;
}
