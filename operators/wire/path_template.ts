// SPDX-License-Identifier: Apache-2.0
// A path with what looks like an id replaced by "{id}": few values, for names and statistics.

/** `/users/42/orders/9f86d081-…` → `/users/{id}/orders/{id}`. `path` is without its query. */
export function templatePath(path: string): string {
  let template = "";
  let from = 0;
  let start = 0;
  let digits = 0;
  for (let i = 0; i <= path.length; i++) {
    const c = i < path.length ? path.charCodeAt(i) : SLASH;
    if (c >= 0x30 && c <= 0x39) digits++;
    if (c !== SLASH) continue;
    if (digits > 0 || i - start > SEGMENT_CHARS_MAX) {
      const segment = templateSegment(path, start, i, digits);
      if (segment !== "") {
        template += path.slice(from, start) + segment;
        from = i;
      }
    }
    start = i + 1;
    digits = 0;
  }
  return from === 0 ? path : template + path.slice(from);
}

const SLASH = 0x2f;
/** Longer segments are ids, whatever they are made of. */
const SEGMENT_CHARS_MAX = 64;
/** Tokens: long, and mixed of letters and digits. */
const TOKEN_CHARS_MIN = 16;
const TOKEN_DIGITS_MIN = 4;
const HEX_CHARS_MIN = 8;

/** What stands for a segment with digits; "" when it stands for itself. */
function templateSegment(path: string, start: number, end: number, digits: number): string {
  const length = end - start;
  if (digits === length || length > SEGMENT_CHARS_MAX) return "{id}";
  let hex = 0, token = 0;
  for (let i = start; i < end; i++) {
    const c = path.charCodeAt(i);
    const lower = c | 0x20;
    const isDigit = c >= 0x30 && c <= 0x39;
    if (isDigit || (lower >= 0x61 && lower <= 0x66) || c === 0x2d) hex++;
    if (isDigit || (lower >= 0x61 && lower <= 0x7a) || TOKEN_SIGNS.includes(path[i] as string)) {
      token++;
    }
  }
  if (hex === length && length >= HEX_CHARS_MIN) return "{id}";
  if (token === length && length >= TOKEN_CHARS_MIN && digits >= TOKEN_DIGITS_MIN) return "{id}";
  const segment = path.slice(start, end);
  const named = segment.replace(/([-_.:=,;])\d+(?=$|[-_:=,;])/g, "$1{id}");
  return named === segment ? "" : named;
}

const TOKEN_SIGNS = "-_=~";
