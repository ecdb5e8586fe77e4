// SPDX-License-Identifier: Apache-2.0
// What is known of one PostgreSQL connection, and the fields that its messages carry.

import type { Transport } from "../../../../model/connection.ts";
import type { OpenOptions } from "../../../wire/protocol.ts";
import type { SqlText } from "../sql_text.ts";

export const FIELDS = {
  database: { type: "string", otel: "db.namespace", doc: "database" },
  user: { type: "string", doc: "user that logged in" },
  statement: { type: "string", doc: "name of the prepared statement" },
  summary: { type: "string", otel: "db.query.summary", doc: "operation and table" },
  sqlstate: {
    type: "string",
    otel: "db.response.status_code",
    doc: "SQLSTATE of an error",
  },
  rows: {
    type: "number",
    otel: "db.response.returned_rows",
    doc: "rows returned or affected, of the last command",
  },
  error_message: { type: "string", doc: "the server's message" },
} as const;
export type F = typeof FIELDS;

export type Unit = "startup" | "encryption" | "query" | "execute" | "prepare";

export interface Portal {
  readonly sql: SqlText | null;
  readonly statement: string;
}

export interface State {
  /** The server agreed to encryption: TLS follows. null: its answer was not captured. */
  encrypted: boolean | null;
  database: string;
  user: string;
  statements: Map<string, SqlText>;
  /** What each portal runs, by name; the unnamed one is "". */
  portals: Map<string, Portal>;
  /** The batch since the last Sync has parsed or described but not executed. */
  preparing: SqlText | null;
  executed: boolean;
  /** An Execute was announced: the Sync behind it is its end. */
  asking: boolean;
  /** An answer was announced: the ReadyForQuery behind it is its end. */
  answering: boolean;
  /** Syncs sent, and what waits for its answer, each with the sync that follows it. */
  syncs: number;
  pending: { unit: Unit; sync: number }[];
  /** Syncs answered by ReadyForQuery. */
  readies: number;
  /** Of the last command, as it says; -1 where it has not. */
  rows: number;
  /** Rows that came: of commands that do not count them, and of parts of a portal. */
  received: number;
  commands: number;
  error: { code: string; message: string; fatal: boolean } | null;
  /** Texts show their values. */
  readonly unmask: boolean;
}

export const openSession = (_transport: Transport, options?: OpenOptions): State => ({
  unmask: options?.unmask === true,
  encrypted: false,
  database: "",
  user: "",
  statements: new Map(),
  portals: new Map(),
  preparing: null,
  executed: false,
  asking: false,
  answering: false,
  syncs: 0,
  pending: [],
  readies: 0,
  rows: -1,
  received: 0,
  commands: 0,
  error: null,
});

const KEPT_MAX = 1_024;

/** Puts into a map that stays bounded: the oldest goes. */
export function keep<V>(map: Map<string, V>, name: string, value: V): void {
  map.delete(name);
  map.set(name, value);
  if (map.size <= KEPT_MAX) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
