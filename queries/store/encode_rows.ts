// SPDX-License-Identifier: Apache-2.0
// Rows to one Arrow IPC stream: the only way into the store that is fast enough.
//
// The column builders of the Arrow library cost 11 µs a span; filling its buffers here costs a
// quarter of that. Texts of few values travel as dictionaries, each value once per batch.

import * as arrow from "@uwdata/flechette";
import type { Column, ColumnType } from "../../model/span.ts";
import { packAttributes } from "./attributes.ts";

export type ColumnTable = Readonly<Record<string, Column>>;

/** Columns in table order, because the store inserts by position. */
export function encodeRows(
  columns: ColumnTable,
  rows: readonly object[],
): Uint8Array<ArrayBuffer> {
  const built: [string, arrow.Column<unknown>][] = [];
  for (const [name, { type }] of Object.entries(columns)) {
    const values = rows.map((row) => (row as Readonly<Record<string, unknown>>)[name]);
    built.push([name, new arrow.Column([buildBatch(type, values)])]);
  }
  const bytes = arrow.tableToIPC(arrow.tableFromColumns(built), { format: "stream" });
  if (bytes === null) throw new Error("Cannot encode rows: the Arrow library returned nothing");
  return bytes as Uint8Array<ArrayBuffer>;
}

type Values = readonly unknown[];
type Batch = arrow.Batch<unknown>;

function buildBatch(type: ColumnType, values: Values): Batch {
  switch (type) {
    case "id":
    case "id?":
    case "u64":
      return wideBatch(arrow.uint64(), new BigUint64Array(values.length), values);
    case "unix_ns":
    case "unix_ns?":
      return wideBatch(arrow.int64(), new BigInt64Array(values.length), values);
    case "u32":
    case "u32?":
      return numberBatch(arrow.uint32(), new Uint32Array(values.length), values);
    case "i32?":
      return numberBatch(arrow.int32(), new Int32Array(values.length), values);
    case "f32":
      return numberBatch(arrow.float32(), new Float32Array(values.length), values);
    case "bool":
      return boolBatch(values);
    case "enum":
    case "label":
      return dictionaryBatch(values);
    case "text":
    case "text?":
      return textBatch(values);
    case "attributes":
      return textBatch(values.map(packAttributes));
  }
}

/** 64 bits. Numbers (exact up to 2^53) are written as two halves: a bigint each would cost more. */
function wideBatch(
  type: arrow.DataType,
  into: BigUint64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>,
  values: Values,
): Batch {
  const halves = new Uint32Array(into.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "bigint") into[i] = value;
    else if (typeof value === "number") {
      halves[2 * i] = value >>> 0;
      halves[2 * i + 1] = Math.floor(value / 2 ** 32);
    }
  }
  return makeBatch(type, { length: values.length, values: into, ...findNulls(values) });
}

function numberBatch(
  type: arrow.DataType,
  into: Uint32Array | Int32Array | Float32Array,
  values: Values,
): Batch {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "number") into[i] = value;
  }
  return makeBatch(type, { length: values.length, values: into, ...findNulls(values) });
}

function boolBatch(values: Values): Batch {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) if (values[i] === true) setBit(bits, i);
  return makeBatch(arrow.bool(), { length: values.length, values: bits, ...findNulls(values) });
}

function dictionaryBatch(values: Values): Batch {
  const keys = new Int32Array(values.length);
  const keyOf = new Map<unknown, number>();
  let last: unknown;
  let lastKey = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (lastKey < 0 || value !== last) {
      last = value;
      lastKey = keyOf.get(value) ?? keyOf.size;
      if (lastKey === keyOf.size) keyOf.set(value, lastKey);
    }
    keys[i] = lastKey;
  }
  // The library tells dictionaries apart by the identity of their value type.
  const textType = arrow.utf8();
  const batch = makeBatch(arrow.dictionary(textType, arrow.int32()), {
    length: values.length,
    values: keys,
    nullCount: 0,
    validity: new Uint8Array(0),
  });
  if (!("setDictionary" in batch) || typeof batch.setDictionary !== "function") {
    throw new Error("Cannot encode rows: this Arrow library has no dictionary batches");
  }
  batch.setDictionary(new arrow.Column([textBatch([...keyOf.keys()], textType)]));
  return batch;
}

const utf8 = new TextEncoder();

/** All texts are encoded in one call; only a batch with non-ASCII text is measured one by one. */
function textBatch(values: Values, type: arrow.DataType = arrow.utf8()): Batch {
  const texts = values.map((value) => value === null || value === undefined ? "" : String(value));
  const joined = texts.join("");
  const bytes = utf8.encode(joined);
  const offsets = new Int32Array(texts.length + 1);
  const isAscii = bytes.length === joined.length;
  if (!isAscii) return wideTextBatch(texts, values, type);
  let end = 0;
  for (let i = 0; i < texts.length; i++) offsets[i + 1] = end += texts[i]?.length ?? 0;
  return makeBatch(type, {
    length: texts.length,
    offsets,
    values: bytes,
    ...findNulls(values),
  });
}

/** Texts one by one: a lone surrogate at the end of one must not pair with the next one's start. */
function wideTextBatch(texts: readonly string[], values: Values, type: arrow.DataType): Batch {
  const offsets = new Int32Array(texts.length + 1);
  const encoded = texts.map((text) => utf8.encode(text));
  let end = 0;
  encoded.forEach((bytes, i) => offsets[i + 1] = end += bytes.length);
  const bytes = new Uint8Array(end);
  encoded.forEach((part, i) => bytes.set(part, offsets[i]));
  return makeBatch(type, {
    length: texts.length,
    offsets,
    values: bytes,
    ...findNulls(values),
  });
}

interface Nulls {
  readonly nullCount: number;
  readonly validity: Uint8Array;
}

function findNulls(values: Values): Nulls {
  let nullCount = 0;
  for (const value of values) if (value === null || value === undefined) nullCount++;
  if (nullCount === 0) return { nullCount, validity: new Uint8Array(0) };
  const validity = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== null && value !== undefined) setBit(validity, i);
  }
  return { nullCount, validity };
}

function setBit(bits: Uint8Array, i: number): void {
  bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
}

interface BatchParts extends Nulls {
  readonly length: number;
  readonly values: arrow.TypedArray;
  readonly offsets?: Int32Array;
}

function makeBatch(type: arrow.DataType, parts: BatchParts): Batch {
  const Made = arrow.batchType(type, { useBigInt: true });
  return new Made({ type, ...parts });
}
