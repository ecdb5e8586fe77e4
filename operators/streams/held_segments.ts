// SPDX-License-Identifier: Apache-2.0
// Events of one direction that came before the bytes in front of them, in stream order.

import type { SocketEvent } from "../../model/capture_record.ts";
import type { Nanos } from "../../model/time.ts";

export interface Segment {
  readonly event: SocketEvent;
  /** A copy: the event's own payload was borrowed. */
  readonly payload: Uint8Array;
}

export class HeldSegments {
  readonly #segments: Segment[] = [];
  readonly #waitNs: Nanos;
  /** Captured bytes held, and a little for each segment. */
  bytes = 0;
  /** Emit time of the oldest segment held. */
  oldestNs: Nanos = 0n;

  constructor(waitNs: Nanos) {
    this.#waitNs = waitNs;
  }

  /** Event time at which waiting is over. */
  get dueNs(): Nanos {
    return this.oldestNs + this.#waitNs;
  }

  /** The segment with the lowest stream offset. */
  get first(): Segment | undefined {
    return this.#segments[0];
  }

  add(event: SocketEvent): void {
    const segment = { event, payload: event.payload.slice() };
    if (this.#segments.length === 0 || event.emitNs < this.oldestNs) this.oldestNs = event.emitNs;
    this.bytes += segment.payload.length + SEGMENT_BYTES;
    let at = this.#segments.length;
    while (at > 0 && offsetAt(this.#segments, at - 1) > event.streamOffset) at--;
    this.#segments.splice(at, 0, segment);
  }

  shift(): Segment | undefined {
    const segment = this.#segments.shift();
    if (segment === undefined) return undefined;
    this.bytes -= segment.payload.length + SEGMENT_BYTES;
    if (segment.event.emitNs === this.oldestNs) {
      let oldestNs = this.first?.event.emitNs ?? 0n;
      for (const { event } of this.#segments) if (event.emitNs < oldestNs) oldestNs = event.emitNs;
      this.oldestNs = oldestNs;
    }
    return segment;
  }
}

/** What a held segment takes besides its payload, roughly. */
const SEGMENT_BYTES = 256;

function offsetAt(segments: readonly Segment[], index: number): number {
  return segments[index]?.event.streamOffset ?? 0;
}
