// SPDX-License-Identifier: Apache-2.0
// Which spans of some time may be in one trace, from a few numbers for each: so that traces can be
// assembled few at a time without any of them being torn.
//
// Spans are grouped that have a key in common by which any rule of assembly could join them. That
// is more than assembly will join, never less.

import type { Store } from "../../queries/store/store.ts";

export interface SpanGroups {
  /** Start of each span, in order of start and id. */
  readonly startsNs: BigInt64Array;
  /** Group of each span; groups are numbered by their first span. */
  readonly groups: Int32Array;
  /** Index of the last span of a group, by its number. */
  readonly lastOf: Int32Array;
}

/** Of a key's 64 bits the upper 40 are kept, the others tell the span: as many fit. */
const SPANS_MAX = 2 ** 24;

/** Keys as numbers, 0 for none; equal ones are those by which a parent rule may join two spans. */
const KEYS: Readonly<Record<string, string>> = {
  own: "hash('span', span_id)",
  parent: "CASE WHEN parent_span_id IS NULL THEN 0 ELSE hash('span', parent_span_id) END",
  named: `CASE WHEN regexp_full_match(parent_id_header, '[0-9a-f]{1,16}')
    THEN hash('span', ('0x' || parent_id_header)::UBIGINT) ELSE 0 END`,
  hop: `CASE transport
    WHEN 'tcp' THEN CASE WHEN request_seq IS NULL THEN 0 ELSE hash('tcp', request_seq) END
    WHEN 'udp' THEN hash('udp', coalesce(request_id, ''), protocol,
      least(string_split(local, ':')[-1], string_split(peer, ':')[-1]),
      greatest(string_split(local, ':')[-1], string_split(peer, ':')[-1]))
    ELSE hash('unix', request_offset,
      CASE WHEN kind IN ('server', 'consumer') THEN socket_id ELSE peer_socket_id END) END`,
  request: "CASE WHEN x_request_id IS NULL THEN 0 ELSE hash('request', x_request_id) END",
  message: `CASE WHEN message_key IS NULL THEN 0
    WHEN message_key % 2 = 1 AND parent_span_id IS NOT NULL THEN 0
    ELSE hash('message', message_key - message_key % 2) END`,
  trace: `CASE WHEN trace_id_header IS NULL THEN 0
    ELSE hash('trace', trace_id_header, service) END`,
};

/** The spans that start within the time, its end excluded. */
export async function readSpanGroups(
  store: Pick<Store, "query">,
  { sinceNs, untilNs }: { readonly sinceNs: bigint; readonly untilNs: bigint },
): Promise<SpanGroups> {
  const keys = Object.entries(KEYS).map(([name, sql]) => `(${sql})::UBIGINT AS key_${name}`);
  const result = await store.query(
    `SELECT start_unix_ns, ${keys.join(", ")} FROM spans
     WHERE start_unix_ns >= $1 AND start_unix_ns < $2 ORDER BY start_unix_ns, span_id`,
    [sinceNs, untilNs],
  );
  if (result.truncated || result.rowCount > SPANS_MAX) {
    throw new Error(
      `Cannot assemble the traces of one time: more than ${result.rowCount} spans lie too close`,
    );
  }
  const columns = Object.keys(KEYS).map((name) =>
    BigUint64Array.from(result.column(`key_${name}`) as ArrayLike<bigint>)
  );
  const startsNs = BigInt64Array.from(result.column("start_unix_ns") as ArrayLike<bigint>);
  return { startsNs, ...groupByKeys(columns, startsNs.length) };
}

/** Joins all that have a key in common, directly or by others. */
export function groupByKeys(
  columns: readonly BigUint64Array[],
  spans: number,
): Pick<SpanGroups, "groups" | "lastOf"> {
  const packed = packKeys(columns, spans).sort();
  const halves = new Uint32Array(packed.buffer);
  const above = Int32Array.from({ length: spans }, (_, span) => span);
  for (let i = 1; i < packed.length; i++) {
    const low = halves[2 * i] ?? 0, lowBefore = halves[2 * i - 2] ?? 0;
    if (halves[2 * i + 1] !== halves[2 * i - 1]) continue;
    if (low >>> 24 !== lowBefore >>> 24) continue;
    join(above, low & 0xff_ffff, lowBefore & 0xff_ffff);
  }
  const lastOf = new Int32Array(spans);
  for (let span = 0; span < spans; span++) {
    const group = topOf(above, span);
    above[span] = group;
    lastOf[group] = span;
  }
  return { groups: above, lastOf };
}

/** Each key with the span that has it, in the order of keys once they are sorted. */
function packKeys(columns: readonly BigUint64Array[], spans: number): BigUint64Array {
  const packed = new BigUint64Array(columns.length * spans);
  const halves = new Uint32Array(packed.buffer);
  let at = 0;
  for (const column of columns) {
    const parts = new Uint32Array(column.buffer, column.byteOffset, 2 * spans);
    for (let span = 0; span < spans; span++) {
      const low = parts[2 * span] ?? 0, high = parts[2 * span + 1] ?? 0;
      if (low === 0 && high === 0) continue;
      halves[at++] = (low & 0xff00_0000) | span;
      halves[at++] = high;
    }
  }
  return packed.subarray(0, at / 2).slice();
}

/** The earlier span is above the later one, so that a group is numbered by its first. */
function join(above: Int32Array, a: number, b: number): void {
  const [topA, topB] = [topOf(above, a), topOf(above, b)];
  above[Math.max(topA, topB)] = Math.min(topA, topB);
}

function topOf(above: Int32Array, span: number): number {
  let top = span;
  for (let up = above[top] ?? top; up !== top; up = above[top] ?? top) {
    above[top] = above[up] ?? up;
    top = up;
  }
  return top;
}
