// SPDX-License-Identifier: Apache-2.0
// HPACK, the header compression of HTTP/2 (RFC 7541), for a reader that may have come late.
//
//   1 index 7+                        indexed field
//   01 index 6+ | value               literal, added to the table       index 0: name follows
//   001 size 5+                       table size update
//   000x index 4+ | value             literal, not added
//   string: H 1 | length 7+ | bytes   H = Huffman-coded
//
// When the connection is older than the capture, the table of its encoder holds entries that were
// never seen. They are the oldest ones: an index past what is known stands for an unknown header,
// reported as such, and everything added since resolves exactly.

import { Malformed } from "../../../wire/cursor.ts";
import { decodeHuffman } from "./hpack_huffman.ts";
import { decodeLatin1 } from "../../../wire/text.ts";

/** Static table, from index 1 on; a value follows "=". */
const STATIC = (":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|" +
  ":scheme=https|:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|" +
  ":status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|" +
  "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|" +
  "content-encoding|content-language|content-length|content-location|content-range|content-type|" +
  "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|" +
  "if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|" +
  "proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|" +
  "strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate").split("|");

const STATIC_NAMES = STATIC.map((entry) => entry.split("=")[0] ?? "");
const STATIC_VALUES = STATIC.map((entry) => entry.slice(entry.indexOf("=") + 1 || entry.length));

/** RFC 7541, 4.1: what an entry costs beside its text. */
const ENTRY_OVERHEAD_BYTES = 32;
const TABLE_BYTES_DEFAULT = 4_096;
/** Larger tables than this are not believed. */
const TABLE_BYTES_MAX = 1 << 20;
const STRING_BYTES_MAX = 1 << 16;

/** Takes one header. `name` is null when only the unseen part of the table knows it. */
export type OnHeader = (name: string | null, value: string | null) => void;

/** One direction of one connection. */
export class HpackDecoder {
  /** Newest entry last. */
  readonly #names: (string | null)[] = [];
  readonly #values: (string | null)[] = [];
  #bytes = 0;
  #bytesMax = TABLE_BYTES_DEFAULT;
  /** True when the table may hold entries that were never seen. */
  readonly #joinedLate: boolean;
  #source: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  constructor(joinedLate: boolean) {
    this.#joinedLate = joinedLate;
  }

  /** Decodes a whole header block. Throws Malformed; the table is then no longer of use. */
  decode(bytes: Uint8Array, onHeader: OnHeader): void {
    this.#source = bytes;
    this.#at = 0;
    this.#end = bytes.length;
    while (this.#at < this.#end) this.#field(onHeader);
  }

  #field(onHeader: OnHeader): void {
    const first = this.#source[this.#at] as number;
    if (first >= 0x80) {
      const index = this.#integer(7);
      if (index === 0) throw new Malformed("no header has index 0");
      onHeader(this.#name(index), this.#value(index));
    } else if (first >= 0x40) {
      const [name, value] = this.#literal(6);
      this.#add(name, value);
      onHeader(name, value);
    } else if (first >= 0x20) {
      this.#resize(this.#integer(5));
    } else {
      const [name, value] = this.#literal(4);
      onHeader(name, value);
    }
  }

  #literal(bits: number): [name: string | null, value: string] {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#string() : this.#name(index);
    return [name, this.#string()];
  }

  #name(index: number): string | null {
    if (index <= STATIC_NAMES.length) return STATIC_NAMES[index - 1] ?? null;
    return this.#names[this.#place(index)] ?? null;
  }

  #value(index: number): string | null {
    if (index <= STATIC_VALUES.length) return STATIC_VALUES[index - 1] ?? null;
    return this.#values[this.#place(index)] ?? null;
  }

  /** Place of a dynamic entry, negative for one that was never seen. */
  #place(index: number): number {
    const place = this.#names.length - (index - STATIC_NAMES.length);
    const entriesMax = this.#bytesMax / ENTRY_OVERHEAD_BYTES;
    if (place < 0 && (!this.#joinedLate || index > STATIC_NAMES.length + entriesMax)) {
      throw new Malformed("index past the header table");
    }
    return place;
  }

  #add(name: string | null, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
    this.#bytes += (name?.length ?? 0) + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw new Malformed("header table too large");
    this.#bytesMax = bytes;
    this.#evict();
  }

  #evict(): void {
    let gone = 0;
    while (this.#bytes > this.#bytesMax && gone < this.#names.length) {
      const bytes = (this.#names[gone]?.length ?? 0) + (this.#values[gone]?.length ?? 0);
      this.#bytes -= bytes + ENTRY_OVERHEAD_BYTES;
      gone++;
    }
    if (gone === 0) return;
    this.#names.splice(0, gone);
    this.#values.splice(0, gone);
  }

  /** RFC 7541, 5.1: an integer with a prefix of `bits`. */
  #integer(bits: number): number {
    const mask = (1 << bits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed("header integer too long");
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new Malformed("header block too short");
    return this.#source[this.#at++] as number;
  }

  #string(): string {
    const huffman = this.#at < this.#end && (this.#source[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    if (length > STRING_BYTES_MAX || start + length > this.#end) {
      throw new Malformed("header text past its block");
    }
    this.#at = start + length;
    if (!huffman) return decodeLatin1(this.#source, start, start + length);
    const text = decodeHuffman(this.#source, start, start + length);
    if (text === null) throw new Malformed("not a Huffman-coded text");
    return text;
  }
}
