// SPDX-License-Identifier: Apache-2.0
// Reads marshalled objects of OpenWire by their list of fields.
//
//   loose: bool u8 | long i64 | text: there u8, u16, bytes | object: there u8, type u8, fields
//   tight: all bools come first as bits; so do whether a text is there and is ASCII, whether an
//          object is there, and the size of a long (none, 2, 4 or 8 bytes)
//   cached object: new, index i16, [object]

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import type { IdentityReader } from "../../../wire/trace_context.ts";
import { COMMANDS, isMessage, type Op, STRUCTURES } from "./openwire_commands.ts";

const DEPTH_MAX = 8;
const CACHE_MAX = 0x8000;

/** How one direction of a connection is marshalled. */
export interface WireFormat {
  readonly tight: boolean;
  readonly cached: boolean;
  readonly version: number;
  /** Texts of the objects that were sent, by index. */
  readonly cache: Map<number, string>;
}

export interface Found {
  readonly texts: Map<string, string>;
  readonly numbers: Map<string, number>;
  readonly reader: IdentityReader;
  errorClass: string;
  errorText: string;
}

export class Unmarshaller {
  readonly #cursor: Cursor;
  readonly #format: WireFormat;
  readonly #found: Found;
  /** Tight only: the bits, and which comes next. */
  #bits: Uint8Array = new Uint8Array(0);
  #bit = 0;

  constructor(cursor: Cursor, format: WireFormat, found: Found) {
    this.#cursor = cursor;
    this.#format = format;
    this.#found = found;
    if (format.tight) this.#readBits();
  }

  /** Reads the fields of a command. */
  read(ops: readonly Op[], depth = 0): string {
    if (depth > DEPTH_MAX) throw new Malformed("objects too deep");
    const cursor = this.#cursor, { texts, numbers } = this.#found;
    const parts: string[] = [];
    for (const [kind, name] of ops) {
      let text = "";
      switch (kind) {
        case "int":
          if (name !== undefined) numbers.set(name, cursor.i32());
          else cursor.skip(4);
          continue;
        case "byte":
          cursor.skip(1);
          continue;
        case "bool":
          if (this.#bool() && name !== undefined) numbers.set(name, 1);
          continue;
        case "bytes":
          this.#bytes(name);
          continue;
        case "properties":
          this.#properties();
          continue;
        case "error":
          this.#error();
          continue;
        case "long":
          text = String(this.#long());
          break;
        case "text":
          text = this.#text();
          break;
        case "text10":
          text = this.#format.version >= 10 ? this.#text() : "";
          break;
        case "cached":
          text = this.#cached(depth);
          break;
        case "nested":
          text = this.#nested(depth);
      }
      if (text === "") continue;
      parts.push(text);
      if (name !== undefined) texts.set(name, text);
    }
    return parts.join(":");
  }

  /** Number of bytes u8, or c0 u8, or 80 u16; then the bits, lowest first. */
  #readBits(): void {
    const first = this.#cursor.u8();
    const count = first === 0xc0 ? this.#cursor.u8() : first === 0x80 ? this.#cursor.u16() : first;
    this.#bits = this.#cursor.bytes(count);
    this.#bit = 0;
  }

  #bool(): boolean {
    if (!this.#format.tight) return this.#cursor.u8() !== 0;
    const bit = this.#bit++;
    const byte = this.#bits[bit >> 3];
    if (byte === undefined) throw new Malformed("no bits left");
    return (byte >> (bit & 7) & 1) === 1;
  }

  #long(): bigint {
    if (!this.#format.tight) return this.#cursor.i64();
    if (this.#bool()) return this.#bool() ? this.#cursor.i64() : BigInt(this.#cursor.i32());
    return this.#bool() ? BigInt(this.#cursor.u16()) : 0n;
  }

  #text(): string {
    if (!this.#bool()) return "";
    if (this.#format.tight) this.#bool();
    return this.#cursor.text(this.#cursor.u16());
  }

  #bytes(name: string | undefined): void {
    if (!this.#bool()) return;
    const bytes = this.#cursor.u32();
    if (name !== undefined) this.#found.numbers.set(name, bytes);
    this.#cursor.skip(bytes);
  }

  #nested(depth: number): string {
    if (!this.#bool()) return "";
    const type = this.#cursor.u8();
    if (isMessage(type)) {
      this.#message(type, depth);
      return "";
    }
    const ops = STRUCTURES[type];
    if (ops === undefined) throw new Malformed("no such structure");
    return this.read(ops, depth + 1);
  }

  /** A message inside of a dispatch; it may be marshalled by itself, with bits of its own. */
  #message(type: number, depth: number): void {
    const command = COMMANDS[type];
    if (command === undefined) throw new Malformed("no such message");
    const commandId = this.#found.numbers.get("command_id") ?? 0;
    const required = this.#found.numbers.has("response_required");
    if (this.#format.tight && this.#bool()) {
      this.#cursor.skip(5);
      this.#readBits();
    }
    this.read(command.ops, depth + 1);
    // The ids of the dispatch count, not those that the producer used.
    this.#found.numbers.set("command_id", commandId);
    if (!required) this.#found.numbers.delete("response_required");
  }

  #cached(depth: number): string {
    const { cached, cache } = this.#format;
    if (!cached) return this.#nested(depth);
    const fresh = this.#bool();
    const index = this.#cursor.u16();
    if (!fresh) return cache.get(index) ?? "";
    const text = this.#nested(depth);
    if (index < CACHE_MAX) cache.set(index, text);
    return text;
  }

  /** class, message and, where it is sent, the trace of the stack */
  #error(): void {
    if (!this.#bool()) return;
    this.#found.errorClass = this.#text();
    this.#found.errorText = this.#text();
  }

  #properties(): void {
    if (!this.#bool()) return;
    const bytes = this.#cursor.u32();
    const end = this.#cursor.position + bytes;
    readProperties(this.#cursor, (name, value) => this.#found.reader.add(name, value));
    this.#cursor.rewind(end);
  }
}

/** Bytes of values by type: null, bool, byte, char, short, int, long, double, float. */
const VALUE_BYTES = [0, 1, 1, 2, 2, 4, 8, 8, 4];

/** count u32 | (name: u16, bytes | type u8 | value) …: texts go to `each`, names in lower case. */
export function readProperties(
  cursor: Cursor,
  each: (name: string, value: string) => void,
): void {
  for (let count = cursor.u32(); count > 0; count--) {
    const name = cursor.text(cursor.u16()).toLowerCase();
    const type = cursor.u8();
    const bytes = VALUE_BYTES[type];
    if (bytes !== undefined) {
      if (bytes === 1) each(name, cursor.u8() !== 0 ? "true" : "false");
      else cursor.skip(bytes);
    } else if (type === 9) each(name, cursor.text(cursor.u16()));
    else if (type === 10 || type === 13) cursor.skip(cursor.u32());
    else return;
  }
}
