// SPDX-License-Identifier: Apache-2.0
// Bytes of one direction of a connection in stream order, as reassembly hands them on.

import type { SocketEvent } from "./capture_record.ts";
import type { Connection } from "./connection.ts";
import type { Nanos } from "./time.ts";
import type { StreamEnd } from "./message.ts";

/** In-order bytes: each run starts where the one before it ended, but for `gap`. */
export interface ByteRun {
  readonly kind: "bytes";
  readonly connection: Connection;
  /** The event that the bytes came with: thread, program, direction, times. */
  readonly event: SocketEvent;
  /** Stream offset of the first byte of this run. */
  readonly offset: number;
  /** Bytes lost for good just before this run; 0 normally. */
  readonly gap: number;
  /** Length of the run in the stream. */
  readonly length: number;
  /** Captured prefix of it, borrowed; shorter than `length` means clipped. */
  readonly bytes: Uint8Array;
  readonly emitNs: Nanos;
}

export type StreamRecord = ByteRun | StreamEnd;
