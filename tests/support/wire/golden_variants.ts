// SPDX-License-Identifier: Apache-2.0
// Variants of golden cases: the same bytes in other calls, and bytes gone wrong. Deterministic.

import type { Step } from "./golden_fixture.ts";

/** Numbers in [0, n), the same for the same seed. */
export type Random = (n: number) => number;

export function randomOf(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return (n) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x6d2b79f5 | 0;
    return ((state ^ state >>> 14) >>> 0) % n;
  };
}

/** Every call in pieces of 1 to `bytesMax` bytes; what was not captured stays with the last one. */
export function splitSteps(steps: readonly Step[], random: Random, bytesMax: number): Step[] {
  return steps.flatMap((step) => {
    if (step.kind === "end" || step.bytes.length < 2) return [step];
    const pieces: Step[] = [];
    for (let at = 0; at < step.bytes.length;) {
      const bytes = step.bytes.subarray(at, at + 1 + random(bytesMax));
      at += bytes.length;
      const rest = at === step.bytes.length ? step.length - at : 0;
      pieces.push({ kind: "call", up: step.up, bytes, length: bytes.length + rest });
    }
    return pieces;
  });
}

/** Some calls changed, cut, clipped, repeated or left out. */
export function damage(steps: readonly Step[], random: Random): Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind === "end") return [step];
    const bytes = step.bytes.slice();
    switch (random(6)) {
      case 0:
        for (let n = 1 + random(4); n > 0 && bytes.length > 0; n--) {
          bytes[random(bytes.length)] = random(256);
        }
        return [{ ...step, bytes }];
      case 1: {
        const kept = bytes.subarray(0, random(bytes.length + 1));
        return [{ ...step, bytes: kept, length: kept.length }];
      }
      case 2:
        return [{ ...step, bytes: bytes.subarray(0, random(bytes.length + 1)) }];
      case 3: {
        const at = random(bytes.length + 1);
        const rest = bytes.subarray(at);
        return [{ ...step, bytes: rest, length: step.length - at }, step];
      }
      case 4:
        return random(2) === 0 ? [] : splitSteps([step], random, 5);
      default:
        return [step];
    }
  });
}
