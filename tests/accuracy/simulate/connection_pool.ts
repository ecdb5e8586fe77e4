// SPDX-License-Identifier: Apache-2.0
// Connections to one backend, with a queue of those who wait for one.

import type { Connection } from "../../../model/connection.ts";
import type { Recorder } from "./recorder.ts";

export interface ConnectionPool {
  /** Calls `use` at once if a connection is free or may be opened, else when one is given back. */
  readonly take: (use: (connection: Connection, isNew: boolean) => void) => void;
  /** Returns the waiting user that the connection goes to, or null. */
  readonly give: (connection: Connection) => (() => void) | null;
}

export function openPool(recorder: Recorder, connectionsMax: number): ConnectionPool {
  const idle: Connection[] = [];
  const waiting: ((connection: Connection, isNew: boolean) => void)[] = [];
  let opened = 0;
  return {
    take(use) {
      const free = idle.pop();
      if (free !== undefined) use(free, false);
      else if (opened < connectionsMax) {
        opened++;
        use(recorder.connection("client"), true);
      } else waiting.push(use);
    },
    give(connection) {
      const next = waiting.shift();
      if (next !== undefined) return () => next(connection, false);
      idle.push(connection);
      return null;
    },
  };
}

/** One pool per backend, by endpoint. */
export function openPools(recorder: Recorder): (backend: {
  readonly protocol: string;
  readonly endpoint: string;
  readonly connectionsMax?: number;
}) => ConnectionPool {
  const pools = new Map<string, ConnectionPool>();
  return ({ protocol, endpoint, connectionsMax }) => {
    const key = connectionsMax === undefined ? endpoint : protocol;
    const pool = pools.get(key) ?? openPool(recorder, connectionsMax ?? Infinity);
    pools.set(key, pool);
    return pool;
  };
}
