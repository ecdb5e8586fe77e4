// SPDX-License-Identifier: Apache-2.0
// What the store and its worker say to each other. Bytes are transferred, not copied.

import type { Keep } from "../keep.ts";
import type { ProtocolFields } from "../schema.ts";

export interface OpenRequest {
  readonly kind: "open";
  readonly wasmPath: string;
  readonly path?: string;
  readonly readOnly: boolean;
  readonly anySchema: boolean;
  readonly keep: Keep;
  readonly protocols: readonly ProtocolFields[];
  readonly facts: Readonly<Record<string, string>>;
}

/** One batch, stored in one commit. */
export interface InsertRequest {
  readonly kind: "insert";
  /** Arrow IPC streams in table order; absent: no rows. */
  readonly spans?: Uint8Array<ArrayBuffer>;
  readonly candidates?: Uint8Array<ArrayBuffer>;
  readonly spanCount: number;
  /** Ids of which an earlier revision may be stored already: it is replaced. Arrow IPC too. */
  readonly revised?: Uint8Array<ArrayBuffer>;
  /** Smallest start among the revised spans: older rows need no search. */
  readonly revisedFromNs: bigint;
  /** Newest end in the batch: decides the slice, and what has become too old. */
  readonly newestNs: bigint;
}

export interface QueryRequest {
  readonly kind: "query";
  readonly sql: string;
  readonly timeoutMs: number;
  readonly rowsMax: number;
  readonly bytesMax: number;
}

export type Request =
  | OpenRequest
  | InsertRequest
  | QueryRequest
  | { readonly kind: "exec"; readonly sql: string }
  | { readonly kind: "cancel"; readonly query: number }
  | { readonly kind: "checkpoint" }
  | { readonly kind: "close" };

export interface Opened {
  readonly engineVersion: string;
  readonly spans: number;
  /** Rows of the table that the next batch goes into. */
  readonly rows: number;
}

export interface Inserted {
  /** Rows of the table that the batch went into, as they lie there: removed ones too. */
  readonly rows: number;
  /** Spans in the store now. */
  readonly spans: number;
  /** Spans removed because they are older than asked for. */
  readonly expired: number;
  /** The batch is stored, but the engine broke after it and must be reopened. */
  readonly broken?: string;
}

export interface QueryParts {
  /** Arrow IPC messages: the schema, then record batches. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  /** There was more than `rowsMax` or `bytesMax` allow. */
  readonly truncated: boolean;
}

export interface Replies {
  readonly open: Opened;
  readonly insert: Inserted;
  readonly query: QueryParts;
  readonly exec: undefined;
  readonly cancel: undefined;
  readonly checkpoint: undefined;
  readonly close: undefined;
}

export interface Envelope {
  readonly id: number;
  readonly request: Request;
}

export type Reply =
  | { readonly id: number; readonly value: Replies[keyof Replies] }
  | { readonly id: number; readonly error: string; readonly isFatal: boolean };
