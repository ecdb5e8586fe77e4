// SPDX-License-Identifier: Apache-2.0
// The shapes of services that are simulated, and the run of one of them.

import type { Exchange } from "../../model/exchange.ts";
import { startClock } from "./simulate/clock.ts";
import { eventLoop } from "./simulate/event_loop.ts";
import type { Backend, Endpoint } from "./simulate/handler.ts";
import type { Recorded } from "./session_event.ts";
import { startRecorder } from "./simulate/recorder.ts";
import { drive, type Service } from "./simulate/service.ts";
import { threadPerRequest } from "./simulate/thread_per_request.ts";
import { threadPool, type ThreadPoolShape } from "./simulate/thread_pool.ts";

type Start = (
  clock: ReturnType<typeof startClock>,
  recorder: ReturnType<typeof startRecorder>,
) => Service;

export interface Shape {
  readonly start: Start;
  /** Connections per kind of backend; absent: as many as needed. */
  readonly connectionsMax?: number;
  /** One endpoint with one call, instead of five of different shapes. */
  readonly plain?: boolean;
}

const readerAnswers = (shape: Partial<ThreadPoolShape>): Start => (clock, recorder) =>
  threadPool(clock, recorder, { workers: 8, answeredBy: "reader", ...shape });

export const SHAPES = {
  threads: { start: (clock, recorder) => threadPerRequest(clock, recorder, 256) },
  loop_at_once: { start: (clock, recorder) => eventLoop(clock, recorder, "immediate") },
  loop_deferred: { start: (clock, recorder) => eventLoop(clock, recorder, "deferred") },
  loop_at_once_pool_4: {
    start: (clock, recorder) => eventLoop(clock, recorder, "immediate"),
    connectionsMax: 4,
  },
  loop_deferred_pool_4: {
    start: (clock, recorder) => eventLoop(clock, recorder, "deferred"),
    connectionsMax: 4,
  },
  plain_loop_at_once_pool_4: {
    start: (clock, recorder) => eventLoop(clock, recorder, "immediate"),
    connectionsMax: 4,
    plain: true,
  },
  plain_loop_deferred: {
    start: (clock, recorder) => eventLoop(clock, recorder, "deferred"),
    plain: true,
  },
  workers_8: {
    start: (clock, recorder) => threadPool(clock, recorder, { workers: 8, answeredBy: "worker" }),
  },
  workers_8_reader_answers: {
    start: (clock, recorder) => threadPool(clock, recorder, { workers: 8, answeredBy: "reader" }),
  },
  workers_8_last_first: { start: readerAnswers({ takes: "last" }) },
  workers_8_shortest_first: { start: readerAnswers({ takes: "shortest" }) },
  workers_8_stealing: { start: readerAnswers({ takes: "any" }) },
  two_pools_of_4: { start: readerAnswers({ workers: 4, pools: 2 }) },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof SHAPES;

export interface Run {
  readonly events: readonly Recorded[];
  readonly truth: ReadonlyMap<Exchange, Exchange | null>;
}

const ms = 1e6;

/** A quiet time with one client, from which programs are learned, then the load. */
export function simulate(name: ShapeName, clients: number, requests: number, seed = 7): Run {
  const shape: Shape = SHAPES[name];
  const clock = startClock(seed);
  const recorder = startRecorder(clock);
  const service = shape.start(clock, recorder);
  const endpoints = endpointsOf(shape);
  drive(clock, recorder, service, endpoints, { clients: 1, requests: 100, thinkNs: 5 * ms });
  if (clients > 1) {
    drive(clock, recorder, service, endpoints, { clients, requests, thinkNs: 20 * ms });
  }
  return recorder;
}

function endpointsOf({ connectionsMax, plain }: Shape): readonly Endpoint[] {
  const backend = (protocol: string, endpoint: string, meanMs: number): Backend => ({
    protocol,
    endpoint,
    meanNs: meanMs * ms,
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
  });
  const cache = backend("redis", "GET", 0.5);
  const database = backend("postgresql", "SELECT", 3);
  const other = backend("http", "/other", 8);
  const endpoint = (path: string, share: number, calls: Endpoint["calls"]): Endpoint => ({
    protocol: "http",
    endpoint: path,
    share,
    calls,
  });
  if (plain === true) return [endpoint("/plain", 1, [[cache]])];
  return [
    endpoint("/sequence", 5, [[cache], [database]]),
    endpoint("/one", 3, [[cache]]),
    endpoint("/fan_out", 2, [[database, other], [cache]]),
    endpoint("/same_three_times", 1, [[database], [database], [database]]),
    endpoint("/none", 1, []),
  ];
}
