// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { decodeHeader, encodeHeader, HEADER_BYTES_MIN } from "./recording_header.ts";

const HEADER = {
  host: { name: "host", bootId: "b-1", kernel: "6.1", machine: "x86_64" },
  version: "0.1.0",
  path: "fast",
  started: "2026-01-01T00:00:00Z",
};

type Layout = Record<string, Record<string, unknown>>;

/** The header as a program would write it that lays records out in another way. */
function writtenWith(change: (layout: Layout) => void): Uint8Array {
  const bytes = encodeHeader(HEADER);
  const fields = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_BYTES_MIN)));
  change(fields.layout);
  const json = new TextEncoder().encode(JSON.stringify(fields));
  const changed = new Uint8Array(HEADER_BYTES_MIN + json.length);
  changed.set(bytes.subarray(0, HEADER_BYTES_MIN));
  changed.set(json, HEADER_BYTES_MIN);
  new DataView(changed.buffer).setUint32(16, crc32(json), true);
  return changed;
}

Deno.test("recording header: what an older version did not know yet may be missing", () => {
  const older = writtenWith((layout) => {
    delete layout["dataFlags"]?.["over"];
    delete layout["dataEventAt"]?.["fd"];
    delete layout["unixEventAt"];
  });
  assert.deepEqual(decodeHeader(older), HEADER);
});

Deno.test("recording header: another place, or what is not known, is refused", () => {
  const others: ((layout: Layout) => void)[] = [
    (layout) => Object.assign(layout["dataEventAt"] ?? {}, { length: 4 }),
    (layout) => Object.assign(layout["dataEventAt"] ?? {}, { colour: 4 }),
    (layout) => Object.assign(layout, { paintEventAt: {} }),
    (layout) => Object.assign(layout, { dataEventBytes: 8 }),
  ];
  for (const change of others) {
    assert.throws(() => decodeHeader(writtenWith(change)), /laid out by another version/);
  }
});
