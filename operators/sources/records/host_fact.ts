// SPDX-License-Identifier: Apache-2.0
// Facts that user space adds to the stream of the kernel: clock readings, processes that were
// there before, names of cgroups, losses. They are records like the kernel's own, so that a
// recording holds everything that its replay needs.
//
// Layout: u32 size (a multiple of 8), u8 kind, 3 bytes 0, u64 emit time, UTF-8 JSON, spaces.

import type { Nanos } from "../../../model/time.ts";

/** Kinds of the kernel count up from 1, ours down from 255. */
export const HOST_FACT_KIND = 255;

const JSON_AT = 16;

/** One reading of both clocks. */
export interface ClockFact {
  readonly fact: "clock";
  readonly bootNs: string;
  readonly realNs: string;
}

/** Records or payloads that did not come through, since the last such fact. */
export interface LossFact {
  readonly fact: "loss";
  readonly reason: string;
  readonly count: number;
}

/** A process that was there before, or of which no record told. */
export interface SeenFact {
  readonly fact: "seen";
  readonly tgid: number;
  /** Boot time; exact where execCount is known, else in clock ticks, as /proc has it. */
  readonly startNs: string;
  /** -1 when not known. */
  readonly execCount: number;
  readonly comm: string;
  readonly exe: string;
  readonly argv: readonly string[];
  readonly parentTgid: number;
  /** "0" when not known. */
  readonly cgroupId: string;
  readonly cgroup: string;
  readonly innerPid: number;
  readonly pidns: number;
  readonly netns: number;
  readonly mntns: number;
}

/** The path of a cgroup. */
export interface CgroupFact {
  readonly fact: "cgroup";
  readonly id: string;
  readonly path: string;
}

export type HostFact = ClockFact | LossFact | SeenFact | CgroupFact;

/** Clock ticks of /proc per second: fixed by the kernel's ABI. */
export const TICK_NS = 10_000_000n;

export function encodeHostFact(fact: HostFact, emitNs: Nanos): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(fact));
  const size = (JSON_AT + json.length + 7) & ~7;
  const record = new Uint8Array(size).fill(0x20, JSON_AT);
  const view = new DataView(record.buffer);
  view.setUint32(0, size, true);
  view.setUint8(4, HOST_FACT_KIND);
  view.setBigUint64(8, emitNs, true);
  record.set(json, JSON_AT);
  return record;
}

/** The fact of the record at `at`, null when it is damaged or of a kind not known here. */
export function decodeHostFact(bytes: Uint8Array, at: number, size: number): HostFact | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes.subarray(at + JSON_AT, at + size)));
  } catch {
    return null;
  }
  return isHostFact(value) ? value : null;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
const digits: Check = (value) => typeof value === "string" && /^[0-9]{1,20}$/.test(value);
const texts: Check = (value) => Array.isArray(value) && value.every(text);

const FORM: {
  readonly [F in HostFact as F["fact"]]: { readonly [N in Exclude<keyof F, "fact">]: Check };
} = {
  clock: { bootNs: digits, realNs: digits },
  loss: { reason: text, count: number },
  cgroup: { id: digits, path: text },
  seen: {
    tgid: number,
    startNs: digits,
    execCount: number,
    comm: text,
    exe: text,
    argv: texts,
    parentTgid: number,
    cgroupId: digits,
    cgroup: text,
    innerPid: number,
    pidns: number,
    netns: number,
    mntns: number,
  },
};

function isHostFact(value: unknown): value is HostFact {
  if (typeof value !== "object" || value === null) return false;
  const fields: Record<string, unknown> = { ...value };
  const { fact } = fields;
  if (typeof fact !== "string" || !Object.hasOwn(FORM, fact)) return false;
  const form: Readonly<Record<string, Check>> = FORM[fact as HostFact["fact"]];
  return Object.entries(form).every(([name, check]) => check(fields[name]));
}
