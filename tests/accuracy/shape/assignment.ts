// SPDX-License-Identifier: Apache-2.0
// Minimum-cost assignment of rows to columns where most pairs are impossible: one shortest
// augmenting path per row (Dijkstra with potentials), on the possible pairs only.

export interface Option {
  readonly column: number;
  /** Not negative. */
  readonly cost: number;
}

/**
 * The column of each row, -1 where every option costs more than to leave the row out, which costs
 * `skipCost`. A column takes one row.
 */
export function assign(
  rows: readonly (readonly Option[])[],
  columns: number,
  skipCost: number,
): Int32Array {
  const columnOf = new Int32Array(rows.length).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  const price = new Float64Array(columns);
  const paid = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    augment(row, { rows, columnOf, rowOf, price, paid, skipCost });
  }
  return columnOf;
}

interface Tableau {
  readonly rows: readonly (readonly Option[])[];
  readonly columnOf: Int32Array;
  readonly rowOf: Int32Array;
  /** Dual prices: of columns, and what each row pays. */
  readonly price: Float64Array;
  readonly paid: Float64Array;
  readonly skipCost: number;
}

/** Finds the cheapest way to place one more row, moving others or leaving one of them out. */
function augment(first: number, tableau: Tableau): void {
  const { rows, columnOf, rowOf, price, paid, skipCost } = tableau;
  const distance = new Map<number, number>();
  const cameFrom = new Map<number, number>();
  const done = new Set<number>();
  const heap: [number, number][] = [];
  let bestEnd = Infinity;
  /** The row that is left out, or the free column that ends the path. */
  let leftOut = -1;
  let free = -1;
  const reach = (row: number, at: number) => {
    const skipped = at + skipCost - (paid[row] ?? 0);
    if (skipped < bestEnd) {
      bestEnd = skipped;
      leftOut = row;
      free = -1;
    }
    for (const { column, cost } of rows[row] ?? []) {
      if (done.has(column)) continue;
      const to = at + cost - (paid[row] ?? 0) - (price[column] ?? 0);
      if (to >= (distance.get(column) ?? Infinity) || to >= bestEnd) continue;
      distance.set(column, to);
      cameFrom.set(column, row);
      push(heap, to, column);
    }
  };
  paid[first] = 0;
  reach(first, 0);
  for (let top = pop(heap); top !== undefined && top[0] < bestEnd; top = pop(heap)) {
    const [at, column] = top;
    if (done.has(column) || at > (distance.get(column) ?? Infinity)) continue;
    done.add(column);
    const row = rowOf[column] ?? -1;
    if (row < 0) {
      bestEnd = at;
      free = column;
      leftOut = -1;
      break;
    }
    reach(row, at);
  }
  for (const column of done) {
    const row = rowOf[column] ?? -1;
    const slack = bestEnd - (distance.get(column) ?? bestEnd);
    if (slack <= 0) continue;
    price[column] = (price[column] ?? 0) - slack;
    if (row >= 0) paid[row] = (paid[row] ?? 0) + slack;
  }
  paid[first] = (paid[first] ?? 0) + bestEnd;
  let column = free;
  if (leftOut >= 0) {
    if (leftOut === first) return;
    column = columnOf[leftOut] ?? -1;
    columnOf[leftOut] = -1;
  }
  while (column >= 0) {
    const row = cameFrom.get(column) ?? -1;
    const next = columnOf[row] ?? -1;
    columnOf[row] = column;
    rowOf[column] = row;
    if (row === first) return;
    column = next;
  }
}

function push(heap: [number, number][], key: number, value: number): void {
  let at = heap.push([key, value]) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const above = heap[up];
    if (above === undefined || above[0] <= key) break;
    heap[at] = above;
    at = up;
  }
  heap[at] = [key, value];
}

function pop(heap: [number, number][]): [number, number] | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    let below = heap[down];
    if (below === undefined) break;
    const right = heap[down + 1];
    if (right !== undefined && right[0] < below[0]) {
      below = right;
      down++;
    }
    if (last[0] <= below[0]) break;
    heap[at] = below;
    at = down;
  }
  heap[at] = last;
  return top;
}
