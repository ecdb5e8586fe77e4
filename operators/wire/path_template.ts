// SPDX-License-Identifier: Apache-2.0
// A path with what looks like an id replaced by "{id}": few values, for names and statistics.

/** `/users/42/orders/9f86d081-…` → `/users/{id}/orders/{id}`. `path` is without its query. */
export function templatePath(path: string): string {
  if (!mayHoldId(path)) return path;
  const segments = path.split("/");
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as string;
    if (isId(segment)) segments[i] = "{id}";
    else segments[i] = segment.replace(/([-_.:=,;])\d+(?=$|[-_:=,;])/g, "$1{id}");
  }
  return segments.join("/");
}

/** Longer segments are ids, whatever they are made of. */
const SEGMENT_CHARS_MAX = 64;

/** Cheap test that most paths do not pass: a digit, or a very long segment. */
function mayHoldId(path: string): boolean {
  let since = 0;
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i);
    if (c >= 0x30 && c <= 0x39) return true;
    if (c === 0x2f) since = i;
    else if (i - since > SEGMENT_CHARS_MAX) return true;
  }
  return false;
}

function isId(segment: string): boolean {
  if (segment.length > SEGMENT_CHARS_MAX) return true;
  if (/^\d+$/.test(segment)) return true;
  if (!/\d/.test(segment)) return false;
  if (/^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(segment)) return true;
  if (/^(0x)?[0-9a-f]{8,}$/i.test(segment)) return true;
  // Tokens: long, and mixed of letters and at least four digits.
  return segment.length >= 16 && /^[\w=~-]+$/.test(segment) && /(\d\D*){4}/.test(segment);
}
