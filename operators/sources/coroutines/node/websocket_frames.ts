// SPDX-License-Identifier: Apache-2.0
// As much of WebSocket as a debugger's client needs: one text message out, text messages in.

const TEXT = 1;
const LAST = 0x80;
const MASKED = 0x80;
const BYTES_16 = 126;
const BYTES_64 = 127;

/** A text message in one frame, masked by zeros, as clients must mask and may choose by what. */
export function textFrame(text: string): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(text);
  const frame = new Uint8Array(14 + payload.length);
  const view = new DataView(frame.buffer);
  frame[0] = LAST | TEXT;
  frame[1] = MASKED | BYTES_64;
  view.setBigUint64(2, BigInt(payload.length));
  frame.set(payload, 14);
  return frame;
}

/** Whole text messages in what a server has sent so far. Parts of messages are not put together. */
export function textMessages(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: string[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const head = view.getUint8(at);
    const short = view.getUint8(at + 1) & 0x7f;
    const headBytes = short === BYTES_64 ? 10 : short === BYTES_16 ? 4 : 2;
    if (at + headBytes > bytes.length) break;
    const size = short === BYTES_64
      ? Number(view.getBigUint64(at + 2))
      : short === BYTES_16
      ? view.getUint16(at + 2)
      : short;
    if (at + headBytes + size > bytes.length) break;
    if (head === (LAST | TEXT)) {
      messages.push(
        new TextDecoder().decode(bytes.subarray(at + headBytes, at + headBytes + size)),
      );
    }
    at += headBytes + size;
  }
  return messages;
}
