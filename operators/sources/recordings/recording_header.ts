// SPDX-License-Identifier: Apache-2.0
// First bytes of a recording: what it is, where and by what it was made, how its records lie.
//
// A recording holds what programs said to each other, so it may hold secrets: passwords, tokens,
// personal data. It is created readable by its owner only and should be handed on like a dump
// of memory.
//
// Layout: 8 bytes magic, u32 format version, u32 length of the JSON, u32 CRC-32 of the JSON,
// u32 0, JSON padded with spaces to a multiple of 8. All numbers little endian. Blocks follow.

import { crc32 } from "node:zlib";
import * as events from "../../../bpf/event.gen.ts";

/** Facts of the host that records came from; all text, "" where not known. */
export interface HostFacts {
  readonly name: string;
  /** Changes at each boot: with socket cookies, what makes span ids unique. */
  readonly bootId: string;
  readonly kernel: string;
  readonly machine: string;
}

export interface RecordingHeader {
  readonly host: HostFacts;
  /** Version of this program. */
  readonly version: string;
  /** Capture path: fast or portable. */
  readonly path: string;
  /** Unix time of the start, ISO 8601. */
  readonly started: string;
}

export const HEADER_BYTES_MIN = 24;

const MAGIC = new TextEncoder().encode("SPANDREL");
const FORMAT_VERSION = 1;
/** The event layout is some kilobytes; more is damage. */
const JSON_BYTES_MAX = 1 << 20;

export function encodeHeader(header: RecordingHeader): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify({ ...header, layout: eventLayout() }));
  const bytes = new Uint8Array((HEADER_BYTES_MIN + json.length + 7) & ~7).fill(0x20);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, bytes.length - HEADER_BYTES_MIN, true);
  bytes.set(json, HEADER_BYTES_MIN);
  view.setUint32(16, crc32(bytes.subarray(HEADER_BYTES_MIN)), true);
  view.setUint32(20, 0, true);
  return bytes;
}

/** Length of the whole header, of which the first HEADER_BYTES_MIN bytes are given. */
export function headerBytes(start: Uint8Array): number {
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  if (start.length < HEADER_BYTES_MIN) throw new Error("it ends within its header");
  if (!MAGIC.every((byte, i) => start[i] === byte)) throw new Error("it is not a recording");
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) {
    throw new Error(`its format version is ${version}, known is ${FORMAT_VERSION}`);
  }
  const jsonBytes = view.getUint32(12, true);
  if (jsonBytes > JSON_BYTES_MAX) throw new Error("its header is damaged");
  return HEADER_BYTES_MIN + jsonBytes;
}

/** Reads a whole header; throws the end of a sentence that says why it cannot be used. */
export function decodeHeader(bytes: Uint8Array): RecordingHeader {
  const json = bytes.subarray(HEADER_BYTES_MIN);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crc32(json) !== view.getUint32(16, true)) throw new Error("its header is damaged");
  const value: unknown = JSON.parse(new TextDecoder().decode(json));
  const fields = entries(value);
  if (!isPartOf(fields.layout, eventLayout())) {
    const version = textOf(fields.version);
    throw new Error(
      `its records were laid out by another version (${version}); replay it with that`,
    );
  }
  const host = entries(fields.host);
  return {
    host: {
      name: textOf(host.name),
      bootId: textOf(host.bootId),
      kernel: textOf(host.kernel),
      machine: textOf(host.machine),
    },
    version: textOf(fields.version),
    path: textOf(fields.path),
    started: textOf(fields.started),
  };
}

/**
 * Layouts only grow, and into bytes that were reserved and 0: an older recording reads as it is,
 * and what it did not know yet reads as 0.
 */
function isPartOf(recorded: unknown, known: unknown): boolean {
  if (typeof recorded !== "object" || recorded === null) return recorded === known;
  const ours = entries(known);
  return Object.entries(recorded).every(([name, value]) =>
    Object.hasOwn(ours, name) && isPartOf(value, ours[name])
  );
}

function entries(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

const textOf = (value: unknown): string => typeof value === "string" ? value : "";

/** What a reader of records depends on: offsets, sizes and codes, by name. */
function eventLayout(): Record<string, unknown> {
  const used = /Event(At|Bytes)$|^eventHeader|^eventKind$|^direction$|^role$|^via$|^dataFlags$/;
  const codes = /^closeReason$|^processWhat$|^activityWhat$/;
  return Object.fromEntries(
    Object.entries(events)
      .filter(([name]) => used.test(name) || codes.test(name))
      .sort(([a], [b]) => a < b ? -1 : 1),
  );
}
