// SPDX-License-Identifier: Apache-2.0
// Calls of which several are gathered and sent by one system call on a connection that all share.

import type { ProgramState } from "../program.ts";

/** Of what is sent together with others of its kind, what was sent in between says nothing. */
export const isGathering = (kind: number, { gathered }: ProgramState): boolean =>
  (gathered.get(kind) ?? 0) >= gatheringFrom;

const gatheringFrom = 4;
