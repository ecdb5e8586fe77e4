// SPDX-License-Identifier: Apache-2.0
// Runs a source to its end for tests, over bytes given in any chunks; payloads are copied.

import type { Source } from "../../engine/source.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import type { Nanos } from "../../model/time.ts";
import type { ByteInput } from "./file_window.ts";

export interface Collected {
  readonly records: CaptureRecord[];
  readonly drops: Partial<Record<DropReason, number>>;
  /** Watermarks with the number of records before each. */
  readonly watermarks: [records: number, watermarkNs: Nanos][];
}

/** Bytes in memory as a file, given `chunkBytes` at a time. */
export function inputOf(bytes: Uint8Array, chunkBytes = bytes.length): ByteInput {
  let at = 0;
  const readSync = (into: Uint8Array): number | null => {
    if (at >= bytes.length) return null;
    const part = bytes.subarray(at, at + Math.max(1, Math.min(into.length, chunkBytes)));
    into.set(part);
    at += part.length;
    return part.length;
  };
  return { readSync, read: (into) => Promise.resolve(readSync(into)), close() {} };
}

export async function collect(
  source: Source<CaptureRecord, never, DropReason>,
  recordsMax = 64,
): Promise<Collected> {
  const got: Collected = { records: [], drops: {}, watermarks: [] };
  using stage = source.open({
    emit(record) {
      got.records.push(
        record.kind === "data" ? { ...record, payload: record.payload.slice() } : record,
      );
    },
    side() {},
    drop(reason, n = 1) {
      got.drops[reason] = (got.drops[reason] ?? 0) + n;
    },
    advance(watermarkNs) {
      got.watermarks.push([got.records.length, watermarkNs]);
    },
  });
  const { signal } = new AbortController();
  while (true) {
    if (stage.pull(recordsMax) > 0) continue;
    if (stage.done()) return got;
    await stage.wait(signal);
  }
}
