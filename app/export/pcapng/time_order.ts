// SPDX-License-Identifier: Apache-2.0
// Packets in the order of time: each waits until none before it can come, within bounds.
//
// Events come in the order in which calls ended, with rare inversions, and the handshake of a
// connection is known only from its first byte on, which may be later. A heap of bounded size and
// span of time puts most of that in order; what is further apart is written as it comes.

const HELD_NS = 1_000_000_000n;
const HELD_BYTES_MAX = 4 * 1024 * 1024;

interface Held {
  readonly timeNs: bigint;
  /** Packets of the same time stay in the order in which they came. */
  readonly place: number;
  readonly bytes: Uint8Array;
}

export interface TimeOrder {
  add(timeNs: bigint, bytes: Uint8Array): void;
  /** Hands on everything that waits. */
  end(): void;
}

export function timeOrder(
  write: (bytes: Uint8Array) => void,
  { heldNs = HELD_NS, heldBytesMax = HELD_BYTES_MAX } = {},
): TimeOrder {
  const heap: Held[] = [];
  let heldBytes = 0, places = 0, newestNs = 0n;

  const writeFirst = (): void => {
    const first = pop(heap);
    if (first === undefined) return;
    heldBytes -= first.bytes.length;
    write(first.bytes);
  };

  return {
    add(timeNs, bytes) {
      if (timeNs > newestNs) newestNs = timeNs;
      push(heap, { timeNs, place: places++, bytes });
      heldBytes += bytes.length;
      const dueNs = newestNs - heldNs;
      while (heap[0] !== undefined && (heap[0].timeNs <= dueNs || heldBytes > heldBytesMax)) {
        writeFirst();
      }
    },
    end() {
      while (heap.length > 0) writeFirst();
    },
  };
}

const isBefore = (a: Held, b: Held) =>
  a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.place < b.place);

function push(heap: Held[], held: Held): void {
  let at = heap.length;
  heap.push(held);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || !isBefore(held, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = held;
}

function pop(heap: Held[]): Held | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let least = 2 * at + 1;
    const right = heap[least + 1], left = heap[least];
    if (left === undefined) break;
    if (right !== undefined && isBefore(right, left)) least++;
    const child = heap[least];
    if (child === undefined || !isBefore(child, last)) break;
    heap[at] = child;
    at = least;
  }
  heap[at] = last;
  return first;
}
