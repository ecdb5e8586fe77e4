// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { textFrame, textMessages } from "./websocket_frames.ts";

const serverFrame = (text: string): number[] => {
  const payload = [...new TextEncoder().encode(text)];
  const { length } = payload;
  if (length < 126) return [0x81, length, ...payload];
  if (length < 65_536) return [0x81, 126, length >> 8, length & 255, ...payload];
  return [0x81, 127, 0, 0, 0, 0, 0, length >> 16, length >> 8 & 255, length & 255, ...payload];
};

Deno.test("node: text messages of a server, of any length, other frames passed over", () => {
  const texts = ["", "short", "m".repeat(300), "l".repeat(70_000)];
  const ping = [0x89, 2, 1, 2];
  const bytes = new Uint8Array([...texts.flatMap(serverFrame), ...ping, ...serverFrame("last")]);
  assert.deepEqual(textMessages(bytes), [...texts, "last"]);
});

Deno.test("node: a message of which a part is missing is waited for", () => {
  const bytes = new Uint8Array([...serverFrame("whole"), ...serverFrame("m".repeat(300))]);
  for (const length of [7, 8, 9, 11, 200, bytes.length - 1]) {
    assert.deepEqual(textMessages(bytes.subarray(0, length)), ["whole"]);
  }
});

Deno.test("node: what is sent is one masked frame", () => {
  const frame = textFrame("grüße");
  assert.deepEqual([frame[0], frame[1]], [0x81, 0xff]);
  assert.equal(new DataView(frame.buffer).getBigUint64(2), 7n);
  assert.equal(new TextDecoder().decode(frame.subarray(14)), "grüße");
});
