// SPDX-License-Identifier: Apache-2.0
// Looks through the body of a response as it passes: for what a refinement wants of it, and for the
// events of a stream (text/event-stream). Nothing of it is kept but the values found.

import type { AttributeValue } from "../../../../model/message.ts";
import { decodeLatin1 } from "../../../wire/text.ts";
import type { Refinement } from "../../../wire/refinement.ts";
import type { Head } from "./http_head.ts";

export interface Scan {
  /** The next bytes of the body. */
  take(bytes: Uint8Array): void;
  /** Bytes passed that were not captured. */
  missed(): void;
  /** What was found, once the body is over. */
  fields(): Record<string, AttributeValue>;
}

/** A match can go on in the next bytes: so many characters are looked at again. */
const OVERLAP_CHARS = 128;
/** Of a longer body the rest is not looked at. */
const SCAN_BYTES_MAX = 4 << 20;

/** null: the body of this response is of no interest, or not legible. */
export function scanOf(head: Head, refinement: Refinement | null): Scan | null {
  const streams = head.contentType.startsWith("text/event-stream");
  if (!streams && refinement === null) return null;
  if (head.encoded || head.clipped) return null;
  const answer = Object.entries(refinement?.answer ?? {});
  if (!streams && answer.length === 0) return null;
  const events = streams ? countEvents() : null;
  const values = answer.length > 0 && refinement !== null ? findValues(answer, refinement) : null;
  let left = SCAN_BYTES_MAX;
  return {
    take(bytes) {
      if (left <= 0) return events?.miss();
      left -= bytes.length;
      events?.take(bytes);
      values?.take(bytes);
    },
    missed: () => events?.miss(),
    fields: () => ({ ...events?.fields(), ...values?.fields() }),
  };
}

/** Events end with an empty line; lines that begin with a colon are comments. */
function countEvents() {
  let events = 0;
  let first = 0;
  let filled = false;
  return {
    take(bytes: Uint8Array): void {
      if (events < 0) return;
      for (const byte of bytes) {
        if (byte === 0x0d) continue;
        if (byte !== 0x0a) {
          if (first === 0) first = byte;
          continue;
        }
        if (first === 0) {
          if (filled) events++;
          filled = false;
        } else if (first !== 0x3a) filled = true;
        first = 0;
      }
    },
    /** From here on the count would be wrong. */
    miss: () => void (events = -1),
    fields: (): Record<string, AttributeValue> => events < 0 ? {} : { events },
  };
}

function findValues(
  answer: readonly (readonly [name: string, pattern: RegExp | undefined])[],
  { fields }: Refinement,
) {
  /** Value of the last match of each. */
  const found: (string | undefined)[] = answer.map(() => undefined);
  let before = "";
  return {
    /** In the order of their declaration, not of their appearance. */
    fields(): Record<string, AttributeValue> {
      const values: Record<string, AttributeValue> = {};
      for (const [i, [name]] of answer.entries()) {
        const value = found[i];
        if (value === undefined) continue;
        const type = fields[name]?.type;
        values[name] = type === "boolean" ? true : type === "number" ? Number(value) : value;
      }
      return values;
    },
    take(bytes: Uint8Array): void {
      const text = before + decodeLatin1(bytes, 0, bytes.length);
      for (const [i, [, pattern]] of answer.entries()) {
        if (pattern !== undefined) found[i] = lastMatch(pattern, text) ?? found[i];
      }
      before = text.slice(-OVERLAP_CHARS);
    },
  };
}

/** First group of the last match. `matchAll` makes a copy of the pattern each time. */
function lastMatch(pattern: RegExp, text: string): string | undefined {
  let last: string | undefined;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    last = match[1] ?? "";
    // One that matches nothing would match it for ever.
    if (match[0] === "") pattern.lastIndex++;
  }
  return last;
}
