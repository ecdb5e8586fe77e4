// SPDX-License-Identifier: Apache-2.0
// What a simulated service does with a request: groups of calls, one group after the other, the
// calls of a group at the same time. And the load it is put under.

import type { Clock } from "./clock.ts";
import type { What } from "../session_event.ts";

export interface Backend extends What {
  /** Mean time until it answers. */
  readonly meanNs: number;
  /** Connections to it, at most; further calls queue. Absent: as many as needed. */
  readonly connectionsMax?: number;
}

export interface Endpoint extends What {
  /** Share of requests that go here; all shares of a service are added up. */
  readonly share: number;
  readonly calls: readonly (readonly Backend[])[];
}

export interface Load {
  readonly clients: number;
  readonly requests: number;
  /** Mean pause of a client between a response and its next request. */
  readonly thinkNs: number;
}

export function pickEndpoint(endpoints: readonly Endpoint[], clock: Clock): Endpoint {
  let left = clock.random() * endpoints.reduce((sum, each) => sum + each.share, 0);
  for (const endpoint of endpoints) {
    left -= endpoint.share;
    if (left < 0) return endpoint;
  }
  throw new Error("Cannot pick an endpoint: the service has none");
}
