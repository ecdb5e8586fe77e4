// SPDX-License-Identifier: Apache-2.0
// Whether bytes are AMQP 0-9-1, from the beginning of a connection or from any frame on.

import type { Claim } from "../../../wire/protocol.ts";
import { methodOf } from "./amqp_methods.ts";
import { latin1Of } from "../../../wire/text.ts";

const METHOD = 1, HEADER = 2, BODY = 3, HEARTBEAT = 8, FRAME_END = 0xce;
const FRAME_HEADER_BYTES = 7;
const FRAME_BYTES_MAX = 1 << 18;
const CHANNELS_MAX = 2_048;
const NO: Claim = { kind: "no" };

/** The preface; or a frame with its end in place, or whose method is one that there is. */
export function probeAmqp(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] === 0x41) return probePreface(bytes, length);
  if (bytes.length < 12) return length < 12 && bytes[0] !== 0x41 ? heartbeat(bytes, length) : NO;
  const u16 = (at: number) => (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  const size = u16(3) * 65_536 + u16(5);
  const endAt = FRAME_HEADER_BYTES + size;
  if (
    endAt >= length ? size > FRAME_BYTES_MAX : endAt < bytes.length && bytes[endAt] !== FRAME_END
  ) {
    return NO;
  }
  const ended = bytes[endAt] === FRAME_END;
  if (bytes[0] === METHOD) {
    const method = size < 4 ? undefined : methodOf(u16(7), u16(9));
    if (method === undefined || !ended) return NO;
    const side = method.from === "server" ? "response" : "request";
    return { kind: method.from === "both" ? "either" : side, score: 92 };
  }
  if (bytes[0] === HEADER) {
    return ended && size >= 14 && u16(7) === 60 && u16(9) === 0
      ? { kind: "either", score: 90 }
      : NO;
  }
  return bytes[0] === BODY && ended && u16(1) > 0 && u16(1) < CHANNELS_MAX
    ? { kind: "either", score: 60 }
    : heartbeat(bytes, length);
}

function heartbeat(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] !== HEARTBEAT) return length < 12 && bytes[0] === METHOD ? { kind: "maybe" } : NO;
  for (let at = 1; at < 7; at++) if (bytes[at] !== 0) return NO;
  return bytes[7] === FRAME_END ? { kind: "either", score: 90 } : NO;
}

function probePreface(bytes: Uint8Array, length: number): Claim {
  const head = latin1Of(bytes, 0, 5);
  if (!"AMQP\0".startsWith(head)) return NO;
  if (length < 8) return { kind: "maybe" };
  return bytes[5] === 0 && bytes[6] === 9 ? { kind: "request", score: 100 } : NO;
}
