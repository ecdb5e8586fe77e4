// SPDX-License-Identifier: Apache-2.0
// What is known of one MySQL connection, and the fields that its messages carry.

import type { Transport } from "../../../../model/connection.ts";
import type { Make, OpenOptions, Step } from "../../../wire/protocol.ts";
import type { SqlText } from "../sql_text.ts";

/** One direction of a compressed connection. */
export interface UnitLane {
  /** A packet begun in one unit and continued in the next. */
  pending: Uint8Array;
  /** Bytes of packets to pass over in units to come. */
  skip: number;
  /** What the unit made beyond what has gone out. */
  queue: Step[];
}

export const newUnitLane = (): UnitLane => ({ pending: new Uint8Array(0), skip: 0, queue: [] });

export const FIELDS = {
  database: { type: "string", otel: "db.namespace", doc: "database" },
  user: { type: "string", doc: "user that logged in" },
  server_version: { type: "string", doc: "version in the server's greeting" },
  statement_id: { type: "number", doc: "number of the prepared statement" },
  summary: { type: "string", otel: "db.query.summary", doc: "operation and table" },
  error_code: {
    type: "string",
    otel: "db.response.status_code",
    doc: "error number",
  },
  sqlstate: { type: "string", doc: "SQLSTATE of an error" },
  rows: {
    type: "number",
    otel: "db.response.returned_rows",
    doc: "rows of the result sets",
  },
  affected_rows: { type: "number", doc: "rows inserted, changed or deleted" },
  error_message: { type: "string", doc: "the server's message" },
} as const;
export type F = typeof FIELDS;

export type Phase =
  | "login"
  | "head"
  | "columns"
  | "rows"
  | "definitions"
  | "fields"
  | "events";

export interface State {
  database: string;
  user: string;
  version: string;
  /** Those of the login, or of what was seen since. */
  capabilities: number | null;
  /** The login was seen. */
  announced: boolean;
  /** What the server can; a client may claim more in its login. All while no greeting was seen. */
  offered: number;
  /** What the server sends next. */
  phase: Phase;
  loggingIn: boolean;
  /** Packets of columns or definitions still to come. */
  left: number;
  /** A response with `more` was made and not yet ended. */
  open: boolean;
  rows: number;
  /** Statements whose PREPARE is unanswered, and those the server has numbered. */
  preparing: SqlText[];
  statements: Map<number, SqlText>;
  /** COM codes sent and not answered: what an answer means depends on its command. */
  asked: number[];
  /** The client sends a file (LOAD DATA LOCAL), up to an empty packet. */
  loading: boolean;
  /** Bytes of a long command still to pass over. */
  tail: number;
  /** Packets lie in units, see mysql_compressed.ts; null while nothing tells. */
  compressed: boolean | null;
  readonly units: Record<"toServer" | "toClient", UnitLane>;
  /** Texts show their values. */
  readonly unmask: boolean;
}

export function openSession(_transport?: Transport, options?: OpenOptions): State {
  return {
    database: "",
    user: "",
    version: "",
    capabilities: null,
    announced: false,
    offered: -1,
    phase: "head",
    loggingIn: false,
    left: 0,
    open: false,
    rows: 0,
    preparing: [],
    statements: new Map(),
    asked: [],
    loading: false,
    tail: 0,
    compressed: null,
    units: { toServer: newUnitLane(), toClient: newUnitLane() },
    unmask: options?.unmask === true,
  };
}

export const NOTHING: Step = { kind: "nothing" };
export const pass = (bytes: number): Step => bytes === 0 ? NOTHING : { kind: "skip", bytes };

/** Where an answer can only be ended, never begun. */
export const NO_MAKE: Make<F> = {
  request: () => NOTHING,
  response: () => NOTHING,
  oneway: () => NOTHING,
};
