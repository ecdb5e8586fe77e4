// SPDX-License-Identifier: Apache-2.0
// Who called whom inside one service, from starts and ends alone (evidence 7 and 8). The shape of
// the service is learned from the very requests that it then explains: it sees all of them before
// it places the first call, as only work on recordings may.

import { learnRound, learnShape } from "./learn_shape.ts";
import type { ShapeCall, ShapeRequest } from "./shape/path.ts";
import { placeCalls, type Placed } from "./place_calls.ts";
import { sample } from "./sample.ts";
import { serviceOf } from "./service.ts";

/** Calls of a longer recording to learn from, before all of it is gone through. */
const learnedMax = 24_000;

/** The request of each call. */
export function solveShape(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  callees: number,
): Placed[] {
  const service = serviceOf(requests, calls, callees);
  const model = learnShape({ ...service, ...sample(requests, calls, learnedMax) });
  return placeCalls(service, learnRound(service, model).learned);
}
