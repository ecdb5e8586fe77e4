// SPDX-License-Identifier: Apache-2.0
// Ways to spoil a talk: its calls in other pieces, some lost or clipped, bytes and lengths changed,
// parts of other talks and noise between. All chance comes from `random`.

import type { Step } from "../support/wire/golden_fixture.ts";
import { type Random, splitSteps } from "../support/wire/golden_variants.ts";
import { noise } from "./noise.ts";

type Call = Step & { readonly kind: "call" };
type Mutation = (steps: readonly Step[], random: Random, others: Others) => Step[];

/** Another talk, by chance. */
export type Others = () => readonly Step[];

export function mutate(steps: readonly Step[], random: Random, others: Others): Step[] {
  let mutated = [...steps];
  for (let n = random(5); n > 0; n--) {
    const mutation = MUTATIONS[random(MUTATIONS.length)];
    if (mutation !== undefined) mutated = mutation(mutated, random, others);
  }
  return mutated.slice(0, STEPS_MAX);
}

const STEPS_MAX = 128;

const MUTATIONS: readonly Mutation[] = [
  (steps, random) => splitSteps(steps, random, 1 + random(40)),
  merge,
  lose,
  clip,
  flip,
  writeNumber,
  changeLength,
  changeLength,
  cutOut,
  repeatPart,
  splice,
  addNoise,
  swap,
  turn,
  end,
];

/** One call, by chance, replaced. */
function atOneCall(steps: readonly Step[], random: Random, by: (call: Call) => Step[]): Step[] {
  if (steps.length === 0) return [];
  const index = random(steps.length);
  return steps.flatMap((step, i) => i === index && step.kind === "call" ? by(step) : [step]);
}

/** The call with other bytes; what was not captured stays so. */
function withBytes(call: Call, bytes: Uint8Array): Call {
  return { ...call, bytes, length: bytes.length + call.length - call.bytes.length };
}

function merge(steps: readonly Step[]): Step[] {
  const merged: Step[] = [];
  for (const step of steps) {
    const last = merged.at(-1);
    const joins = step.kind === "call" && last?.kind === "call" && last.up === step.up &&
      last.length === last.bytes.length;
    if (joins) merged[merged.length - 1] = withBytes(step, joined(last.bytes, step.bytes));
    else merged.push(step);
  }
  return merged;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A call that passed but was not captured at all, or did not even pass. */
function lose(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(
    steps,
    random,
    (call) => random(2) === 0 ? [] : [{ ...call, bytes: call.bytes.subarray(0, 0) }],
  );
}

function clip(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(steps, random, (call) => {
    const bytes = call.bytes.subarray(0, random(call.bytes.length + 1));
    const beyond = random(8) === 0 ? random(100_000) : 0;
    return [{ ...call, bytes, length: call.length + beyond }];
  });
}

function flip(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(steps, random, (call) => {
    const bytes = call.bytes.slice();
    for (let n = 1 + random(4); n > 0 && bytes.length > 0; n--) {
      const at = random(bytes.length);
      bytes[at] = random(2) === 0 ? random(256) : (bytes[at] ?? 0) ^ 1 << random(8);
    }
    return [withBytes(call, bytes)];
  });
}

const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0xffffffff];

/** Numbers at the edges, in 1, 2, 3, 4 or 8 bytes of either order. */
function writeNumber(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(steps, random, (call) => {
    const bytes = call.bytes.slice();
    const width = [1, 2, 3, 4, 8][random(5)] ?? 1;
    if (bytes.length < width) return [call];
    write(bytes, random(bytes.length - width + 1), width, edge(random), random(2) === 0);
    return [withBytes(call, bytes)];
  });
}

const edge = (random: Random) => (NUMBERS[random(NUMBERS.length)] ?? 0) - random(2);

function write(bytes: Uint8Array, at: number, width: number, value: number, little: boolean): void {
  for (let i = 0; i < width; i++) {
    const place = little ? i : width - 1 - i;
    bytes[at + place] = Math.floor(value / 256 ** i) & 0xff;
  }
}

/** A number that looks like the length of what follows becomes another. */
function changeLength(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(steps, random, (call) => {
    const places = lengthPlaces(call.bytes);
    const place = places[random(Math.max(1, places.length))];
    if (place === undefined) return [call];
    const bytes = call.bytes.slice();
    const value = random(3) === 0 ? edge(random) : Math.max(0, place.value + random(9) - 4);
    write(bytes, place.at, place.width, value, place.little);
    return [withBytes(call, bytes)];
  });
}

interface Place {
  readonly at: number;
  readonly width: number;
  readonly little: boolean;
  readonly value: number;
}

/** Where 1, 2 or 4 bytes hold a number not above what follows, and near it or small. */
function lengthPlaces(bytes: Uint8Array): Place[] {
  const places: Place[] = [];
  for (let at = 0; at < Math.min(bytes.length, 128); at++) {
    for (
      const [width, little] of [[1, true], [2, false], [2, true], [4, false], [4, true]] as const
    ) {
      let value = 0;
      for (let i = 0; i < width; i++) {
        value = value * 256 + (bytes[at + (little ? width - 1 - i : i)] ?? 0);
      }
      const left = bytes.length - at - width;
      if (value > 0 && value <= left && (width > 1 || value > 2)) {
        places.push({ at, width, little, value });
      }
    }
  }
  return places;
}

function cutOut(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(steps, random, (call) => {
    const from = random(call.bytes.length + 1);
    const to = from + random(Math.min(64, call.bytes.length - from + 1));
    return [withBytes(call, joined(call.bytes.subarray(0, from), call.bytes.subarray(to)))];
  });
}

function repeatPart(steps: readonly Step[], random: Random): Step[] {
  return atOneCall(steps, random, (call) => {
    if (random(2) === 0) return Array.from({ length: 2 + random(6) }, () => call);
    const from = random(call.bytes.length + 1);
    const part = call.bytes.subarray(from, from + 1 + random(64));
    const times = Array.from({ length: 1 + random(16) }, () => part);
    return [
      withBytes(call, joined(call.bytes.subarray(0, from), ...times, call.bytes.subarray(from))),
    ];
  });
}

/** A part of another talk, in a call of its own or inside one. */
function splice(steps: readonly Step[], random: Random, others: Others): Step[] {
  const other = others().filter((step) => step.kind === "call");
  const from = random(other.length + 1);
  const part = other.slice(from, from + 1 + random(4));
  if (random(2) === 0) {
    const at = random(steps.length + 1);
    return [...steps.slice(0, at), ...part, ...steps.slice(at)];
  }
  return atOneCall(steps, random, (call) => {
    const at = random(call.bytes.length + 1);
    const middle = part[0]?.bytes ?? new Uint8Array(0);
    return [withBytes(call, joined(call.bytes.subarray(0, at), middle, call.bytes.subarray(at)))];
  });
}

function addNoise(steps: readonly Step[], random: Random): Step[] {
  const { bytes } = noise(random);
  const at = random(steps.length + 1);
  const up = random(2) === 0;
  const call: Call = { kind: "call", up, bytes, length: bytes.length };
  return [...steps.slice(0, at), call, ...steps.slice(at)];
}

function swap(steps: readonly Step[], random: Random): Step[] {
  const at = random(Math.max(1, steps.length - 1));
  const [first, second] = [steps[at], steps[at + 1]];
  if (first === undefined || second === undefined) return [...steps];
  return [...steps.slice(0, at), second, first, ...steps.slice(at + 2)];
}

/** What one side said, the other one says. */
function turn(steps: readonly Step[], random: Random): Step[] {
  if (random(4) === 0) {
    return steps.map((step) => step.kind === "call" ? { ...step, up: !step.up } : step);
  }
  return atOneCall(steps, random, (call) => [{ ...call, up: !call.up }]);
}

function end(steps: readonly Step[], random: Random): Step[] {
  const what = (["eof up", "eof down", "close", "reset"] as const)[random(4)] ?? "close";
  const at = random(steps.length + 1);
  return [...steps.slice(0, at), { kind: "end", what }, ...steps.slice(at)];
}
