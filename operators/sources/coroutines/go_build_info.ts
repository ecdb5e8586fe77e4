// SPDX-License-Identifier: Apache-2.0
// Which version of Go built a program: its build info, which stripping leaves in place.
//
// Layout (debug/buildinfo): 14 bytes magic, u8 pointer size, u8 flags. Since Go 1.18 (flag 2) the
// version follows at 32 as text with its length before it as a varint; before, at 16 there is a
// pointer to a Go string.

import { type ElfFile, SEGMENT, viewOf, word } from "./elf_file.ts";

export interface GoVersion {
  readonly major: number;
  readonly minor: number;
  /** As written: go1.19.8. */
  readonly text: string;
}

const MAGIC = new TextEncoder().encode(" Go buildinf:");
const HEADER_BYTES = 32;
const ALIGN = 16;
const SEARCHED_BYTES = 65_536;
const TEXT_BYTES_MAX = 256;
const WRITABLE = 2;

/** Null when the program was not built by Go. */
export function goVersionOf(elf: ElfFile): GoVersion | null {
  const info = findInfo(elf);
  if (info === null || info.length < HEADER_BYTES) return null;
  const text = (info[15] ?? 0) & 2 ? inlineText(info) : pointedText(elf, info);
  return parseGoVersion(text);
}

/** "go1.21.3", "go1.22rc1", "devel go1.24-…"; null when there is no such number in it. */
export function parseGoVersion(text: string): GoVersion | null {
  const found = /\bgo(\d+)\.(\d+)/.exec(text);
  if (found === null) return null;
  return { major: Number(found[1]), minor: Number(found[2]), text: text.split(" ")[0] ?? text };
}

function findInfo(elf: ElfFile): Uint8Array | null {
  const section = elf.section(".go.buildinfo");
  if (section !== undefined) {
    const bytes = elf.bytesOf(section, 4096);
    return isInfo(bytes, 0) ? bytes : null;
  }
  const data = elf.segments.find(({ type, flags }) => type === SEGMENT.load && flags & WRITABLE);
  if (data === undefined) return null;
  const bytes = elf.readMemory(data.address, Math.min(SEARCHED_BYTES, data.fileBytes));
  for (let at = 0; at + HEADER_BYTES <= bytes.length; at += ALIGN) {
    if (isInfo(bytes, at)) return bytes.subarray(at);
  }
  return null;
}

function isInfo(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xff && MAGIC.every((byte, i) => bytes[at + 1 + i] === byte);
}

function inlineText(info: Uint8Array): string {
  const { value: length, next } = varint(info, HEADER_BYTES);
  return text(info.subarray(next, next + Math.min(length, TEXT_BYTES_MAX)));
}

function pointedText(elf: ElfFile, info: Uint8Array): string {
  const header = elf.readMemory(word(viewOf(info), 16), 16);
  if (header.length < 16) return "";
  const view = viewOf(header);
  return text(elf.readMemory(word(view, 0), Math.min(word(view, 8), TEXT_BYTES_MAX)));
}

function varint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i] ?? 0;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  return { value: 0, next: at };
}

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
