// SPDX-License-Identifier: Apache-2.0
// The result of a query: columns, or rows, read from Arrow where they lie.

import * as arrow from "@uwdata/flechette";
import type { QueryParts } from "./worker/messages.ts";

/** 64-bit integers are bigints; times are ISO texts, to the microsecond or the day. */
export type Value = string | number | bigint | boolean | null | Value[] | { [name: string]: Value };
export type Row = Readonly<Record<string, Value>>;

export interface Result {
  readonly columns: readonly ResultColumn[];
  readonly rowCount: number;
  /** More rows were found than the query's bounds allow. */
  readonly truncated: boolean;
  /** Values of one column, typed arrays where numbers without null allow it. */
  column(name: string): ArrayLike<Value>;
  rows(): Row[];
}

export interface ResultColumn {
  readonly name: string;
  readonly kind: "number" | "integer" | "text" | "boolean" | "timestamp" | "other";
}

/** A result has at most `rowsMax` rows, though the engine hands them on in larger pieces. */
export function readResult({ parts, truncated }: QueryParts, rowsMax: number): Result {
  const table = arrow.tableFromIPC([...parts], { useBigInt: true, useBigIntTimestamp: true });
  const names = distinctNames(table.schema.fields.map(({ name }) => name));
  const columns = table.schema.fields.map(({ type }, i) => ({
    name: names[i] ?? "",
    kind: kindOf(type),
  }));
  const rowCount = Math.min(table.numRows, rowsMax);
  const valuesOf = (index: number): ArrayLike<Value> => {
    const all: ArrayLike<Value> = table.getChildAt(index).toArray() as ArrayLike<Value>;
    const values = all.length === rowCount ? all : Array.from(all).slice(0, rowCount);
    const type = table.schema.fields[index]?.type;
    if (type?.typeId === arrow.Type.Date) return toDates(values);
    return type?.typeId === arrow.Type.Timestamp ? toTimes(values, type) : values;
  };
  return {
    columns,
    rowCount,
    truncated,
    column: (name) => {
      const index = columns.findIndex((column) => column.name === name);
      if (index < 0) {
        const known = columns.map((column) => column.name).join(", ");
        throw new Error(`Cannot read column ${name}: the result has ${known}`);
      }
      return valuesOf(index);
    },
    rows: () => {
      const values = columns.map((_, index) => valuesOf(index));
      return Array.from({ length: rowCount }, (_, row) => {
        const cells = columns.map(({ name }, i) => [name, values[i]?.[row] ?? null] as const);
        return Object.fromEntries(cells);
      });
    },
  };
}

/** `SELECT 1 AS a, 2 AS a` has two columns; the second is called a_1 here. */
function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  for (const name of names) {
    let distinct = name;
    for (let n = 1; taken.has(distinct); n++) distinct = `${name}_${n}`;
    taken.add(distinct);
  }
  return [...taken];
}

function kindOf(type: arrow.DataType): ResultColumn["kind"] {
  switch (type.typeId) {
    case arrow.Type.Int:
      return "integer";
    case arrow.Type.Float:
    case arrow.Type.Decimal:
      return "number";
    case arrow.Type.Utf8:
    case arrow.Type.Dictionary:
      return "text";
    case arrow.Type.Bool:
      return "boolean";
    case arrow.Type.Date:
    case arrow.Type.Timestamp:
      return "timestamp";
    default:
      return "other";
  }
}

/** Milliseconds since 1970, as they are read. */
function toDates(values: ArrayLike<Value>): Value[] {
  return Array.from(
    values,
    (value) => value === null ? null : new Date(Number(value)).toISOString().slice(0, 10),
  );
}

const PER_SECOND = [1n, 1_000n, 1_000_000n, 1_000_000_000n] as const;

function toTimes(values: ArrayLike<Value>, type: arrow.TimestampType): Value[] {
  const perSecond = PER_SECOND[type.unit] ?? 1_000_000n;
  return Array.from(values, (value) => {
    if (typeof value !== "bigint") return null;
    const micros = value * 1_000_000n / perSecond;
    const millis = new Date(Number(micros / 1000n)).toISOString();
    return millis.replace("Z", `${String(micros % 1000n).padStart(3, "0")}Z`);
  });
}
