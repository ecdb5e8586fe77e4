// SPDX-License-Identifier: Apache-2.0
// What every simulated service offers to its load, and the load itself.

import type { Connection } from "../../../model/connection.ts";
import type { Clock } from "./clock.ts";
import { type Endpoint, type Load, pickEndpoint } from "./handler.ts";
import type { Recorder } from "./recorder.ts";

/** Takes a request that has arrived on a connection; calls `done` when it has been answered. */
export type Service = (on: Connection, endpoint: Endpoint, done: () => void) => void;

/** Clients that wait for the answer before they send the next request, on kept connections. */
export function drive(
  clock: Clock,
  recorder: Recorder,
  service: Service,
  endpoints: readonly Endpoint[],
  load: Load,
): void {
  let sent = 0;
  let answered = 0;
  const next = (on: Connection): void => {
    if (sent++ >= load.requests) return;
    service(on, pickEndpoint(endpoints, clock), () => {
      answered++;
      clock.after(clock.around(load.thinkNs), () => next(on));
    });
  };
  for (let i = 0; i < load.clients; i++) {
    const on = recorder.connection("server");
    clock.after(clock.around(load.thinkNs), () => next(on));
  }
  clock.run(() => answered >= load.requests);
}
