// SPDX-License-Identifier: Apache-2.0
// From what people have in hand, a trace id or a span id, to a span from which a search can start.

import type { Store } from "../store/store.ts";
import { rootIdOf } from "./trace_id.ts";

/** Null if the store has no such trace or span. `id` is 16 or 32 hex digits. */
export async function findSpanId(
  store: Pick<Store, "query">,
  id: string,
): Promise<bigint | null> {
  if (id.length === 16) return await firstOf(store, `span_id = ${BigInt(`0x${id}`)}`);
  const root = rootIdOf(id);
  if (root !== null) {
    const found = await firstOf(store, `span_id = ${root}`);
    if (found !== null) return found;
  }
  return await firstOf(store, `trace_id_header = '${id}'`);
}

/** The earliest span that fits. */
async function firstOf(store: Pick<Store, "query">, condition: string): Promise<bigint | null> {
  const [row] = (await store.query(
    `SELECT span_id FROM spans WHERE ${condition} ORDER BY start_unix_ns LIMIT 1`,
  )).rows();
  return row === undefined ? null : row["span_id"] as bigint;
}
