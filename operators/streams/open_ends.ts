// SPDX-License-Identifier: Apache-2.0
// Responses whose end cannot be seen, because the bytes that would tell it were not captured. They
// end where the direction changes; where the connection falls silent instead, they have ended.

import type { Direction } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";
import { LIMITS } from "../../model/limits.ts";
import { MILLISECOND, type Nanos } from "../../model/time.ts";
import type { Lane } from "./lane.ts";

/** Silence after which such a response is over. */
const SILENCE_NS: Nanos = 500n * MILLISECOND;
/** Lanes are looked at in steps of event time. */
const STEP_NS: Nanos = 100n * MILLISECOND;

export interface OpenEnds {
  /** The lane was lost in the middle of a message. */
  add(lane: Lane, connection: Connection, direction: Direction): void;
  advance(watermarkNs: Nanos): void;
}

/** `end` is called for each lane whose message is over; it finishes the lane. */
export function openEnds(
  end: (lane: Lane, connection: Connection, direction: Direction) => void,
): OpenEnds {
  const lanes = new Map<Lane, readonly [Connection, Direction]>();
  let stepNs: Nanos = 0n;

  const finish = (lane: Lane): void => {
    const place = lanes.get(lane);
    lanes.delete(lane);
    // It may have ended by itself meanwhile.
    if (place !== undefined && lane.lost && lane.more) end(lane, ...place);
  };

  return {
    add(lane, connection, direction) {
      lanes.set(lane, [connection, direction]);
      if (lanes.size <= LIMITS.connections.value) return;
      for (const oldest of lanes.keys()) return finish(oldest);
    },
    advance(watermarkNs) {
      if (watermarkNs < stepNs) return;
      stepNs = watermarkNs + STEP_NS;
      for (const lane of lanes.keys()) {
        const over = !lane.lost || !lane.more || lane.lastNs + SILENCE_NS <= watermarkNs;
        if (over) finish(lane);
      }
    },
  };
}
