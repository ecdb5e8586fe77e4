// SPDX-License-Identifier: Apache-2.0
// DATA frames of which something is wanted: the beginning of a request that may be about more than
// HTTP, and the answer to it. All others are passed over unread.

import type { Cursor } from "../../../wire/cursor.ts";
import type { Step } from "../../../wire/protocol.ts";
import type { Refinement } from "../../../wire/refinement.ts";
import { REFINEMENTS } from "../refinements.gen.ts";
import { readTarget } from "../http/http_message.ts";
import type { HeaderBlock } from "./http2_headers.ts";
import type { Half, Stream } from "./http2_streams.ts";

const DATA = 0, PADDED = 8;
/** So much of a request's body is enough to tell what it is about. */
const PREFIX_BYTES = 8_192;

/** A request whose headers were read and whose body tells what it is about. */
export interface Waiting {
  readonly headers: HeaderBlock;
  readonly stream: number;
  readonly bytes: number;
}

/** Rest of a DATA frame that is looked at. */
export interface Looked {
  left: number;
  readonly stream: number;
  readonly ends: boolean;
}

export function wantsBody({ head }: HeaderBlock, own: readonly Refinement[]): boolean {
  if (head.encoded || head.clipped || head.contentType.startsWith("application/grpc")) return false;
  const { path } = readTarget(head, true);
  const wants = (each: Refinement) =>
    each.body && (each.path.test(path) || each.host?.test(head.host) === true);
  return own.some(wants) || (head.method === "POST" && REFINEMENTS.some(wants));
}

/**
 * The beginning of the frame at the cursor, which stays where it is; "" where that is none of this
 * stream's data. It is waited for, so that the same is told however the bytes came.
 */
export function dataPrefix(cursor: Cursor, stream: number): string {
  const start = cursor.position;
  const length = cursor.u24();
  const type = cursor.u8(), flags = cursor.u8();
  const isData = type === DATA && (flags & PADDED) === 0 && (cursor.u32() & 0x7fffffff) === stream;
  const text = isData && length > 0 ? cursor.textCaptured(Math.min(length, PREFIX_BYTES)) : "";
  cursor.rewind(start);
  return text;
}

/** Shows what is at hand to the stream's scan; `end` tells that its message is over. */
export function lookAtData(
  cursor: Cursor,
  half: Half,
  looked: Looked,
  stream: Stream | undefined,
  end: () => Step,
): Step {
  const captured = Math.min(cursor.captured, looked.left);
  const scan = stream?.response.scan ?? null;
  if (captured > 0) {
    scan?.take(cursor.bytes(captured));
    looked.left -= captured;
    if (looked.left > 0) return NOTHING;
  } else {
    scan?.missed();
    // The last byte ends the message, and is passed apart.
    const passed = Math.min(cursor.remaining, looked.left);
    if (passed === 0) cursor.need(1);
    if (passed < looked.left || passed > 1) {
      const bytes = passed < looked.left ? passed : passed - 1;
      looked.left -= bytes;
      return { kind: "skip", bytes };
    }
    cursor.skip(1);
  }
  half.looked = null;
  return looked.ends ? end() : NOTHING;
}

const NOTHING: Step = { kind: "nothing" };

/** Whether a frame of so many bytes and these flags can be looked at. */
export const canLook = (length: number, flags: number): boolean =>
  length > 0 && (flags & PADDED) === 0;
