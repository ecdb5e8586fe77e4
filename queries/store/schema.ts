// SPDX-License-Identifier: Apache-2.0
// Every table and column of the store, documented once: SQL completion, docs and the statements
// that create them derive from here.

import { type Column, type ColumnType, SPAN_COLUMNS } from "../../model/span.ts";
import { ATTRIBUTE_MACROS } from "./attributes.ts";

/** Raised whenever a stored column changes; a file of another version is not opened. */
export const SCHEMA_VERSION = 3;

/** Columns of the candidates, in the form of the span table. */
export const CANDIDATE_COLUMNS = {
  span_id: { type: "id", doc: "the child" },
  parent_id: { type: "id", doc: "a possible parent" },
  evidence: { type: "label", doc: "what speaks for it" },
  score: { type: "f32", doc: "probability that this is the parent, 0 to 1" },
  rank: { type: "u32", doc: "0 for the winner, which is also on the span" },
  votes: {
    type: "label",
    doc: "rules that point at it, each with how far it was trusted; ! marks what speaks against",
  },
  among: { type: "u32", doc: "requests open at the time: it was one of so many" },
} as const satisfies Record<string, Column>;

/** Ids of spans about to be stored again, refilled for each batch. */
export const REVISED_COLUMNS = {
  span_id: { type: "id", doc: "a span with a new revision" },
} as const satisfies Record<string, Column>;

/** Holds them; temporary, so that it costs the file nothing. */
export const CREATE_REVISED = "CREATE TEMP TABLE revised (span_id UBIGINT)";

/** What users see. */
export interface TableDoc {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly ColumnDoc[];
}

export interface ColumnDoc {
  readonly name: string;
  /** SQL type. */
  readonly type: string;
  readonly doc: string;
}

/** As much of a protocol as its view needs. */
export interface ProtocolFields {
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldDoc>>;
}

interface FieldDoc {
  readonly type: "string" | "number" | "boolean";
  readonly doc: string;
}

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  "id": "UBIGINT",
  "id?": "UBIGINT",
  "unix_ns": "BIGINT",
  "unix_ns?": "BIGINT",
  "u32": "UINTEGER",
  "u32?": "UINTEGER",
  "i32?": "INTEGER",
  "u64": "UBIGINT",
  "f32": "FLOAT",
  "bool": "BOOLEAN",
  "enum": "VARCHAR",
  "label": "VARCHAR",
  "text": "VARCHAR",
  "text?": "VARCHAR",
  "attributes": "VARCHAR",
};

/** Columns that the view `spans` computes. */
const DERIVED = [
  {
    name: "start_time",
    type: "TIMESTAMP",
    doc: "start as a UTC timestamp, to the microsecond",
    sql: "make_timestamp(start_unix_ns // 1000)",
  },
  {
    name: "duration_ms",
    type: "DOUBLE",
    doc: "end minus start in milliseconds",
    sql: "(end_unix_ns - start_unix_ns) / 1e6",
  },
] as const;

/** Tables of a run's own findings: few rows, which the program writes now and then. */
const RUN_TABLES: readonly TableDoc[] = [
  {
    name: "link_checks",
    doc: "links that ids in the bytes tell, found again without them, by service and time",
    columns: [
      { name: "service", type: "VARCHAR", doc: "the service that sent the requests" },
      { name: "since_unix_ns", type: "BIGINT", doc: "start of the time that was counted" },
      { name: "until_unix_ns", type: "BIGINT", doc: "its end" },
      { name: "agreed", type: "UBIGINT", doc: "links found as the ids tell" },
      { name: "differed", type: "UBIGINT", doc: "links drawn to another parent" },
      { name: "uncertain", type: "UBIGINT", doc: "links that would not have been drawn as fact" },
    ],
  },
  {
    name: "losses",
    doc: "what was lost or could not be read, by reason and time",
    columns: [
      { name: "since_unix_ns", type: "BIGINT", doc: "start of the time in which it was lost" },
      { name: "until_unix_ns", type: "BIGINT", doc: "its end" },
      { name: "reason", type: "VARCHAR", doc: "why" },
      { name: "process", type: "VARCHAR", doc: "whose it was; empty where that is not known" },
      { name: "count", type: "UBIGINT", doc: "how much, in the unit of the reason" },
    ],
  },
];

const META_COLUMNS: readonly ColumnDoc[] = [
  {
    name: "key",
    type: "VARCHAR",
    doc: "schema_version, program_version, engine_version, host, boot_id, created_unix_ns, " +
      "opened_unix_ns or clean_shutdown",
  },
  { name: "value", type: "VARCHAR", doc: "its value as text" },
];

/** All tables and views that a user may ask, protocol views included. */
export function describeTables(protocols: readonly ProtocolFields[] = []): TableDoc[] {
  const spanColumns = [...columnDocs(SPAN_COLUMNS), ...DERIVED.map(({ sql: _, ...doc }) => doc)];
  return [
    { name: "spans", doc: "one row per span, its last revision", columns: spanColumns },
    {
      name: "link_candidates",
      doc: "possible parents of spans, the chosen and the others",
      columns: columnDocs(CANDIDATE_COLUMNS),
    },
    ...RUN_TABLES,
    { name: "store_meta", doc: "facts about this store", columns: META_COLUMNS },
    ...protocols.map((protocol) => ({
      name: protocolView(protocol.name),
      doc: `spans of ${protocol.name}, each protocol field as a column`,
      columns: [
        ...spanColumns.filter(({ name }) => name !== "attributes"),
        ...Object.entries(protocol.fields).map(([name, field]) => ({
          name,
          type: FIELD_TYPES[field.type].type,
          doc: field.doc,
        })),
      ],
    })),
  ];
}

const FIELD_TYPES = {
  string: { type: "VARCHAR", macro: "attribute_text" },
  number: { type: "DOUBLE", macro: "attribute_number" },
  boolean: { type: "BOOLEAN", macro: "attribute_boolean" },
} as const;

/** The kinds of sliced data: a view over one table per slice. */
export const SLICED = { spans: SPAN_COLUMNS, link_candidates: CANDIDATE_COLUMNS } as const;

export type SlicedName = keyof typeof SLICED;

export const SLICED_NAMES: readonly SlicedName[] = ["spans", "link_candidates"];

/** Statements that an empty store needs, safe to repeat. */
export function baseStatements(): string[] {
  return [
    "CREATE TABLE IF NOT EXISTS store_meta (key VARCHAR, value VARCHAR)",
    ...RUN_TABLES.map(({ name, columns }) =>
      `CREATE TABLE IF NOT EXISTS ${name} (${
        columns.map((column) => `${quoteName(column.name)} ${column.type} NOT NULL`).join(", ")
      })`
    ),
    ...ATTRIBUTE_MACROS,
    // UTC without a zone, as start_time is: what has a zone takes an extension to reckon with.
    "CREATE OR REPLACE MACRO now() AS get_current_timestamp()::TIMESTAMP",
    "CREATE OR REPLACE MACRO today() AS get_current_timestamp()::TIMESTAMP::DATE",
    "CREATE OR REPLACE MACRO current_date() AS get_current_timestamp()::TIMESTAMP::DATE",
    "CREATE OR REPLACE MACRO hex_id(id) AS lpad(lower(to_hex(id)), 16, '0')",
  ];
}

/** Rows that the engine compresses as a whole. */
export const ROW_GROUP_SPANS = 122_880;

export function sliceTable(name: SlicedName, slice: number): string {
  return `${name}_slice_${slice}`;
}

export function createSlice(name: SlicedName, slice: number): string {
  const columns = Object.entries(SLICED[name]).map(([column, { type }]) =>
    `${quoteName(column)} ${SQL_TYPES[type]}${type.endsWith("?") ? "" : " NOT NULL"}`
  );
  return `CREATE TABLE ${sliceTable(name, slice)} (${columns.join(", ")})`;
}

/** The view over all slices; recreated whenever a slice comes or goes. */
export function createView(name: SlicedName, slices: readonly number[]): string {
  const derived = name === "spans" ? DERIVED.map(({ name, sql }) => `, ${sql} AS ${name}`) : [];
  const union = slices.map((slice) => `FROM ${sliceTable(name, slice)}`).join(" UNION ALL ");
  return `CREATE OR REPLACE VIEW ${name} AS SELECT *${derived.join("")} FROM (${union})`;
}

export function createProtocolView({ name, fields }: ProtocolFields): string {
  const columns = Object.entries(fields).map(([field, { type }]) =>
    `, ${FIELD_TYPES[type].macro}(attributes, ${quoteText(field)}) AS ${quoteName(field)}`
  );
  return `CREATE OR REPLACE VIEW ${quoteName(protocolView(name))} AS ` +
    `SELECT * EXCLUDE (attributes)${columns.join("")} FROM spans ` +
    `WHERE protocol = ${quoteText(name)}`;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll("\0", "")}'`;
}

function protocolView(protocol: string): string {
  return `span_${protocol.replaceAll(/[^a-z0-9]+/g, "_")}`;
}

function columnDocs(columns: Readonly<Record<string, Column>>): ColumnDoc[] {
  return Object.entries(columns).map(([name, { type, doc }]) => ({
    name,
    type: SQL_TYPES[type],
    doc,
  }));
}
