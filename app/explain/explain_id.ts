// SPDX-License-Identifier: Apache-2.0
// The id that people have in hand when they ask why: of a trace or of a span.

/** 16 or 32 lower-case hex digits. Throws an Error whose message says what an id looks like. */
export function parseId(text: string): string {
  const id = text.toLowerCase().replace(/^0x/, "");
  if (/^([0-9a-f]{16}|[0-9a-f]{32})$/.test(id)) return id;
  throw new Error("write the 32 hex digits of a trace, or the 16 of a span");
}
