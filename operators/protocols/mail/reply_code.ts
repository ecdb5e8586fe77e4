// SPDX-License-Identifier: Apache-2.0
// Replies of SMTP and FTP: `250 text`, or `250-text` … `250 text` over several lines.

import type { Status } from "../../../model/status.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";

const LINE_BYTES_MAX = 2_048;
const LINES_MAX = 512;

export interface Reply {
  readonly code: number;
  /** Text of the first line. */
  readonly text: string;
}

/** Reads all lines of one reply. */
export function readReply(cursor: Cursor): Reply {
  const first = cursor.line(LINE_BYTES_MAX);
  const found = /^([1-6]\d\d)(?:([ -])(.*))?$/.exec(first);
  if (found === null) throw new Malformed("no reply code");
  const [, code = "", separator, text = ""] = found;
  if (separator === "-") {
    // FTP allows lines without the code in between.
    for (let lines = 0;; lines++) {
      if (lines > LINES_MAX) throw new Malformed("reply of too many lines");
      const line = cursor.line(LINE_BYTES_MAX);
      if (line.startsWith(code) && (line.length === 3 || line[3] === " ")) break;
    }
  }
  return { code: Number(code), text };
}

/** What a server says without being asked: that it is there, or not, or no longer. */
export const greets = (code: number): boolean =>
  code === 220 || code === 120 || code === 421 || code === 554;

/** 4xx: the server cannot now; 5xx: it will not; 6xx hides another reply (RFC 2228). */
export function statusOf(code: number): Status {
  if (code < 400 || code >= 600) return "ok";
  return code < 500 ? "server_error" : "client_error";
}
