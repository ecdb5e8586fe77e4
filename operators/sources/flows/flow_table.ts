// SPDX-License-Identifier: Apache-2.0
// Flows of one transport by their two ends, in the order of their last use.
//
// Keys are compared as bytes and never composed as text: a look-up happens for every packet.

import { type Frame, u16 } from "../packets/frame.ts";
import { recencyList, type Recent } from "../recency_list.ts";
import { type FlowEnds, isAddress } from "./flow_ends.ts";

/** What the table adds to a flow. */
export interface Entry<F> extends Recent<Entry<F>> {
  readonly flow: F;
  readonly ends: FlowEnds;
  readonly hash: number;
  /** Another flow of the same hash. */
  sameHash: Entry<F> | null;
}

export interface FlowTable<F> {
  /** The flow of the packet whose transport header is at `frame.at`; counts as a use of it. */
  find(frame: Frame): Entry<F> | undefined;
  add(frame: Frame, ends: FlowEnds, flow: F): Entry<F>;
  remove(entry: Entry<F>): void;
  /** The flow that was not used for the longest time. */
  oldest(): Entry<F> | null;
  readonly size: number;
}

export function flowTable<F>(): FlowTable<F> {
  const byHash = new Map<number, Entry<F>>();
  const byUse = recencyList<Entry<F>>();
  let size = 0;

  return {
    find(frame) {
      let entry = byHash.get(hashOf(frame)) ?? null;
      while (entry !== null && !isBetween(frame, entry.ends)) entry = entry.sameHash;
      if (entry === null) return undefined;
      byUse.touch(entry);
      return entry;
    },
    add(frame, ends, flow) {
      const hash = hashOf(frame);
      const sameHash = byHash.get(hash) ?? null;
      const entry: Entry<F> = { flow, ends, hash, sameHash, older: null, newer: null };
      byHash.set(hash, entry);
      byUse.append(entry);
      size++;
      return entry;
    },
    remove(entry) {
      const first = byHash.get(entry.hash);
      if (first === entry) {
        if (entry.sameHash === null) byHash.delete(entry.hash);
        else byHash.set(entry.hash, entry.sameHash);
      } else {
        let before = first ?? null;
        while (before !== null && before.sameHash !== entry) before = before.sameHash;
        if (before !== null) before.sameHash = entry.sameHash;
      }
      byUse.remove(entry);
      size--;
    },
    oldest: byUse.oldest,
    get size() {
      return size;
    },
  };
}

/** The same for both directions of a flow. */
function hashOf(frame: Frame): number {
  const { bytes, at, sourceAt, destinationAt } = frame;
  const addressBytes = frame.family === 4 ? 4 : 16;
  const source = endHash(bytes, sourceAt, addressBytes, u16(bytes, at));
  const destination = endHash(bytes, destinationAt, addressBytes, u16(bytes, at + 2));
  return (source + destination) | 0;
}

/** FNV-1a over address and port, stirred so that sums of two do not cancel out. */
function endHash(bytes: Uint8Array, at: number, length: number, port: number): number {
  let hash = 0x811c9dc5 ^ port;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (bytes[at + i] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** Does the packet run between these two ends, in either direction? */
function isBetween(frame: Frame, ends: FlowEnds): boolean {
  const { bytes, at } = frame;
  const source = u16(bytes, at), destination = u16(bytes, at + 2);
  return (source === ends.clientPort && destination === ends.serverPort &&
    isAddress(frame, frame.sourceAt, ends.client) &&
    isAddress(frame, frame.destinationAt, ends.server)) ||
    (source === ends.serverPort && destination === ends.clientPort &&
      isAddress(frame, frame.sourceAt, ends.server) &&
      isAddress(frame, frame.destinationAt, ends.client));
}
