// SPDX-License-Identifier: Apache-2.0
// Trace context in the comments of a statement, as sqlcommenter, agents and people write it:
// `traceparent='00-…'`, `uber-trace-id: …`, values in quotes or not, percent-encoded or not.

import type { Identity } from "../../../model/message.ts";
import { IdentityReader } from "../../wire/trace_context.ts";

const NAMES = "traceparent|uber-trace-id|x-b3-traceid|x-b3-spanid|b3|sw8|sw6|sw3|" +
  "x-request-id|x-correlation-id";
const PAIR = new RegExp(`\\b(${NAMES})\\s*[:=]\\s*(?:'([^']*)'|"([^"]*)"|([^\\s,;'"*]+))`, "gi");

export function commentIdentity(comment: string): Identity | null {
  const reader = new IdentityReader();
  for (const [, name = "", quoted, doubled, bare] of comment.matchAll(PAIR)) {
    reader.add(name.toLowerCase(), decoded(quoted ?? doubled ?? bare ?? ""));
  }
  return reader.identity();
}

/** Of a statement that is read in part: libraries put their comment at its end. */
export const END_BYTES = 512;

export function endIdentity(end: string): Identity | null {
  if (!/\*\/[\s;]*$/.test(end)) return null;
  return commentIdentity(end.slice(end.lastIndexOf("/*")));
}

function decoded(value: string): string {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
