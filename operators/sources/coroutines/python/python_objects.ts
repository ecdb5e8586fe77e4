// SPDX-License-Identifier: Apache-2.0
// Reads objects of a CPython process out of its memory: the few kinds that lead to asyncio's tasks.
//
// The process runs on meanwhile: what is read may be half changed, and is checked by whoever asks.

import { type ByteSource, textAt as cText, viewOf, word as wordOf } from "../elf_file.ts";
import type { PythonOffsets } from "./python_layout.ts";

const TYPE_AT = 8;
const TYPE_NAME_AT = 24;
const SIZE_AT = 16;
const KEYS_AT = 32;
const NAME_BYTES_MAX = 128;
/** A dict of modules has some hundred entries. */
const ENTRIES_MAX = 16_384;

export interface PythonObjects {
  /** 0 where it cannot be read. */
  word(address: number): number;
  /** Its type, as an address. */
  typeOf(object: number): number;
  /** What the type calls itself, with its module where that is not the builtin one. */
  nameOf(type: number): string;
  /** Number of entries of a dict. */
  usedOf(dict: number): number;
  /** Value of a text in a dict, and the address of the key. */
  find(dict: number, text: string): { readonly key: number; readonly value: number } | null;
}

export function pythonObjects(
  memory: ByteSource,
  { textAt, smallKeys }: Pick<PythonOffsets, "textAt" | "smallKeys">,
): PythonObjects {
  const word = (address: number): number => {
    if (address <= 0) return 0;
    const bytes = memory.read(address, 8);
    return bytes.length < 8 ? 0 : wordOf(viewOf(bytes), 0);
  };
  const decoder = new TextDecoder();

  function holds(object: number, text: string): boolean {
    const bytes = memory.read(object, textAt + text.length);
    if (bytes.length < textAt + text.length) return false;
    return wordOf(viewOf(bytes), SIZE_AT) === text.length &&
      decoder.decode(bytes.subarray(textAt)) === text;
  }

  return {
    word,
    typeOf: (object) => word(object + TYPE_AT),
    nameOf(type) {
      const name = type === 0 ? 0 : word(type + TYPE_NAME_AT);
      return name === 0 ? "" : cText(memory.read(name, NAME_BYTES_MAX), 0);
    },
    usedOf: (dict) => word(dict + SIZE_AT),
    find(dict, text) {
      const keys = word(dict + KEYS_AT);
      const place = keys === 0 ? null : placeOf(memory.read(keys, 40), smallKeys);
      if (place === null) return null;
      const { at, count, entryBytes } = place;
      const entries = memory.read(keys + at, Math.min(count, ENTRIES_MAX) * entryBytes);
      const view = viewOf(entries);
      for (let end = entryBytes; end <= entries.length; end += entryBytes) {
        const key = wordOf(view, end - 16);
        const value = wordOf(view, end - 8);
        if (key !== 0 && value !== 0 && holds(key, text)) return { key, value };
      }
      return null;
    },
  };
}

/** Where the entries of a dict lie within its keys. Each ends with key and value. */
function placeOf(
  head: Uint8Array,
  smallKeys: boolean,
): { readonly at: number; readonly count: number; readonly entryBytes: number } | null {
  if (head.length < 40) return null;
  const view = viewOf(head);
  if (smallKeys) {
    const indexBytes = 2 ** (view.getUint8(9) & 31);
    return {
      at: 32 + indexBytes,
      count: wordOf(view, 24),
      entryBytes: view.getUint8(10) ? 16 : 24,
    };
  }
  const slots = wordOf(view, 8);
  const indexBytes = slots <= 0xff ? slots : slots <= 0xffff ? 2 * slots : 4 * slots;
  return { at: 40 + indexBytes, count: wordOf(view, 32), entryBytes: 24 };
}
