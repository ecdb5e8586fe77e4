// SPDX-License-Identifier: Apache-2.0
// An order by last use, kept in the entries themselves: a move costs a few writes and no memory.

/** What an entry must have; an entry is in one list at a time. */
export interface Recent<T> {
  older: T | null;
  newer: T | null;
}

export interface RecencyList<T> {
  append(entry: T): void;
  remove(entry: T): void;
  /** Makes an entry of the list its newest. */
  touch(entry: T): void;
  oldest(): T | null;
}

export function recencyList<T extends Recent<T>>(): RecencyList<T> {
  let oldest: T | null = null;
  let newest: T | null = null;

  function append(entry: T): void {
    entry.older = newest;
    entry.newer = null;
    if (newest === null) oldest = entry;
    else newest.newer = entry;
    newest = entry;
  }

  function remove(entry: T): void {
    if (entry.older === null) oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = entry.newer = null;
  }

  return {
    append,
    remove,
    touch(entry) {
      if (entry === newest) return;
      remove(entry);
      append(entry);
    },
    oldest: () => oldest,
  };
}
