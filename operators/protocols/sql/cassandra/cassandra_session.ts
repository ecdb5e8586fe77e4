// SPDX-License-Identifier: Apache-2.0
// What is known of one Cassandra connection, and the fields that its messages carry.

import type { Fields, Step, Way } from "../../../wire/protocol.ts";
import type { Transport } from "../../../../model/connection.ts";
import type { OpenOptions } from "../../../wire/protocol.ts";
import type { Segmented } from "./cassandra_segments.ts";
import type { SqlText } from "../sql_text.ts";

export const CASSANDRA_FIELDS = {
  keyspace: { type: "string", otel: "db.namespace", doc: "keyspace" },
  summary: { type: "string", otel: "db.query.summary", doc: "operation and table" },
  consistency: {
    type: "string",
    otel: "cassandra.consistency.level",
    doc: "consistency level that is asked for",
  },
  statements: {
    type: "number",
    otel: "db.operation.batch.size",
    doc: "statements of a batch",
  },
  rows: { type: "number", otel: "db.response.returned_rows", doc: "rows of the result" },
  result: { type: "string", doc: "kind of the result: void, rows, set_keyspace, prepared …" },
  error_code: { type: "string", otel: "db.response.status_code", doc: "error code" },
  error_message: { type: "string", doc: "the server's message" },
  stream: { type: "number", doc: "stream" },
  version: { type: "number", otel: "network.protocol.version", doc: "version of the protocol" },
  driver: { type: "string", doc: "name and version of the client's driver" },
} as const satisfies Fields;

export interface Lane {
  /** Bytes of an envelope still to pass. */
  tail: number;
  /** Bytes of a segment's payload still to come. */
  segment: number;
  /** What a compressed segment made beyond what has gone out. */
  queue: Step[];
}

export interface CassandraState {
  readonly lanes: Record<Way, Lane>;
  /** Whether envelopes lie in segments, and whether those are compressed. */
  segmented: Segmented;
  /** Bytes have been looked at. */
  begun: boolean;
  /** What STARTUP asked for; "" is nothing. */
  compression: string;
  keyspace: string;
  /** Statements whose PREPARE waits for its answer, by stream, and prepared ones by id. */
  readonly preparing: Map<number, SqlText>;
  readonly prepared: Map<string, SqlText>;
  /** Texts show their values. */
  readonly unmask: boolean;
}

const newLane = (): Lane => ({ tail: 0, segment: 0, queue: [] });

export const newCassandraState = (
  _transport: Transport,
  options?: OpenOptions,
): CassandraState => ({
  unmask: options?.unmask === true,
  lanes: { toServer: newLane(), toClient: newLane(), unknown: newLane() },
  segmented: "no",
  begun: false,
  compression: "",
  keyspace: "",
  preparing: new Map(),
  prepared: new Map(),
});

const PREPARED_MAX = 4_096;

/** Puts into a map that stays bounded: the oldest goes. */
export function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  if (map.size >= PREPARED_MAX) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  map.set(key, value);
}
