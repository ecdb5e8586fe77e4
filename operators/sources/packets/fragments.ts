// SPDX-License-Identifier: Apache-2.0
// Puts the fragments of IP packets together. Bounded in packets and in packet time.

import { LIMITS } from "../../../model/limits.ts";
import { type Nanos, SECOND } from "../../../model/time.ts";
import type { Frame, Layer } from "./frame.ts";

/** Packets whose fragments are waited for, 64 KiB each at most. */
const PENDING_MAX = LIMITS.packetFragments.value;
const PACKET_BYTES_MAX = 65_535;
const FRAGMENTS_MAX = 1024;
/** RFC 791 and 8200 ask for 15 to 60 seconds. */
const LIFETIME_NS = 30n * SECOND;
/** Addresses are kept in front of the assembled bytes, for the frame to point at. */
const PREFIX_BYTES = 32;

interface Piece {
  readonly from: number;
  /** End of what was captured of it, and of what was on the wire. */
  readonly capturedTo: number;
  readonly to: number;
}

interface Pending {
  readonly firstNs: Nanos;
  bytes: Uint8Array;
  pieces: Piece[];
  /** Length of the whole, -1 until the last fragment has come. */
  length: number;
}

export interface Fragments {
  /** Call with the time of each packet before its fragments are added. */
  tick(packetNs: Nanos): void;
  /**
   * Adds the fragment at `frame.at`. "ignored" while others are missing; "transport" when it
   * completes the packet: the frame then lies over the assembled bytes.
   */
  add(frame: Frame, id: number, offset: number, more: boolean): Layer;
  /** Packets that wait for fragments. */
  held(): number;
}

/** `giveUp` is told how many packets were abandoned because a fragment of them never came. */
export function assembleFragments(giveUp: (packets: number) => void): Fragments {
  const pending = new Map<string, Pending>();
  let nowNs: Nanos = 0n;

  function remove(key: string): void {
    pending.delete(key);
    giveUp(1);
  }

  function find(key: string): Pending {
    const known = pending.get(key);
    if (known !== undefined) return known;
    for (const oldest of pending.keys()) {
      if (pending.size < PENDING_MAX) break;
      remove(oldest);
    }
    const bytes = new Uint8Array(PREFIX_BYTES + 2048);
    const fresh: Pending = { firstNs: nowNs, bytes, pieces: [], length: -1 };
    pending.set(key, fresh);
    return fresh;
  }

  return {
    tick(packetNs) {
      nowNs = packetNs;
      if (pending.size === 0) return;
      for (const [key, { firstNs }] of pending) {
        if (nowNs - firstNs < LIFETIME_NS) break;
        remove(key);
      }
    },
    add(frame, id, offset, more) {
      const wireBytes = frame.wireEnd - frame.at;
      if (offset + wireBytes > PACKET_BYTES_MAX) return "malformed";
      const key = keyOf(frame, id);
      const packet = find(key);
      place(packet, frame, offset);
      if (!more) packet.length = offset + wireBytes;
      if (packet.pieces.length > FRAGMENTS_MAX) {
        remove(key);
        return "ignored";
      }
      if (!isWhole(packet)) return "ignored";
      pending.delete(key);
      layOver(frame, packet);
      return "transport";
    },
    held: () => pending.size,
  };
}

/** Fragments are rare, so that a composed key costs nothing worth saving. */
function keyOf(frame: Frame, id: number): string {
  const addressBytes = frame.family === 4 ? 4 : 16;
  const source = frame.bytes.subarray(frame.sourceAt, frame.sourceAt + addressBytes);
  const destination = frame.bytes.subarray(frame.destinationAt, frame.destinationAt + addressBytes);
  return `${source}>${destination} ${frame.protocol} ${id}`;
}

function place(packet: Pending, frame: Frame, offset: number): void {
  const captured = frame.bytes.subarray(frame.at, frame.end);
  const needed = PREFIX_BYTES + offset + captured.length;
  if (needed > packet.bytes.length) {
    const larger = new Uint8Array(Math.min(PREFIX_BYTES + PACKET_BYTES_MAX, needed * 2));
    larger.set(packet.bytes);
    packet.bytes = larger;
  }
  packet.bytes.set(captured, PREFIX_BYTES + offset);
  const to = offset + frame.wireEnd - frame.at;
  packet.pieces.push({ from: offset, capturedTo: offset + captured.length, to });
}

function isWhole(packet: Pending): boolean {
  if (packet.length < 0) return false;
  packet.pieces.sort((a, b) => a.from - b.from);
  let covered = 0;
  for (const { from, to } of packet.pieces) {
    if (from > covered) return false;
    covered = Math.max(covered, to);
  }
  return covered >= packet.length;
}

/** What was captured ends at the first byte that no fragment captured. */
function layOver(frame: Frame, packet: Pending): void {
  let captured = 0;
  for (const { from, capturedTo } of packet.pieces) {
    if (from <= captured) captured = Math.max(captured, capturedTo);
  }
  const { bytes } = packet;
  const addressBytes = frame.family === 4 ? 4 : 16;
  bytes.set(frame.bytes.subarray(frame.sourceAt, frame.sourceAt + addressBytes), 0);
  bytes.set(frame.bytes.subarray(frame.destinationAt, frame.destinationAt + addressBytes), 16);
  frame.bytes = bytes;
  frame.sourceAt = 0;
  frame.destinationAt = 16;
  frame.at = PREFIX_BYTES;
  frame.end = PREFIX_BYTES + Math.min(captured, packet.length);
  frame.wireEnd = PREFIX_BYTES + packet.length;
}
