// SPDX-License-Identifier: Apache-2.0
// Puts the fragments of IP packets together. Bounded in packets and in packet time.
//
// Only the first fragment has ports: who captures by port has no others. Of a datagram it is handed
// on alone after a while, as one that was cut.

import { LIMITS } from "../../../model/limits.ts";
import { MILLISECOND, type Nanos, SECOND } from "../../../model/time.ts";
import { emptyFrame, type Frame, type Layer, u16 } from "./frame.ts";
import { IP_PROTOCOL } from "./ip.ts";

/** Packets whose fragments are waited for, 64 KiB each at most. */
const PENDING_MAX = LIMITS.packetFragments.value;
const PACKET_BYTES_MAX = 65_535;
const FRAGMENTS_MAX = 1024;
/** RFC 791 and 8200 ask for 15 to 60 seconds. */
const LIFETIME_NS = 30n * SECOND;
/** Fragments are sent in one go: others that have not come by then were not captured. */
const ALONE_NS = 1n * SECOND;
/** How often this is looked at. */
const LOOK_NS = 250n * MILLISECOND;
const UDP_BYTES = 8;
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
  readonly family: Frame["family"];
  readonly protocol: number;
  bytes: Uint8Array;
  pieces: Piece[];
  /** Length of the whole, -1 until the last fragment has come. */
  length: number;
}

export interface Fragments {
  /**
   * Call with the time of each packet before its fragments are added. `alone` takes first fragments
   * whose others have not come.
   */
  tick(packetNs: Nanos, alone: TakeAlone): void;
  /** No packet follows. */
  end(alone: TakeAlone): void;
  /**
   * Adds the fragment at `frame.at`. "ignored" while others are missing; "transport" when it
   * completes the packet: the frame then lies over the assembled bytes.
   */
  add(frame: Frame, id: number, offset: number, more: boolean): Layer;
  /** Packets that wait for fragments. */
  held(): number;
}

/** The frame lies over a datagram that was cut; it is borrowed. */
export type TakeAlone = (frame: Frame, firstNs: Nanos) => void;

/** `giveUp` is told how many packets were abandoned because a fragment of them never came. */
export function assembleFragments(giveUp: (packets: number) => void): Fragments {
  const pending = new Map<string, Pending>();
  let nowNs: Nanos = 0n;
  let lookNs: Nanos = 0n;
  const cut = emptyFrame();

  function remove(key: string): void {
    pending.delete(key);
    giveUp(1);
  }

  function handOn(key: string, packet: Pending, alone: TakeAlone): boolean {
    if (!layFirst(cut, packet)) return false;
    pending.delete(key);
    alone(cut, packet.firstNs);
    return true;
  }

  function find(key: string, frame: Frame): Pending {
    const known = pending.get(key);
    if (known !== undefined) return known;
    for (const oldest of pending.keys()) {
      if (pending.size < PENDING_MAX) break;
      remove(oldest);
    }
    const bytes = new Uint8Array(PREFIX_BYTES + 2048);
    const { family, protocol } = frame;
    const fresh: Pending = { firstNs: nowNs, family, protocol, bytes, pieces: [], length: -1 };
    keepAddresses(frame, bytes);
    pending.set(key, fresh);
    return fresh;
  }

  return {
    tick(packetNs, alone) {
      nowNs = packetNs;
      if (pending.size === 0 || (nowNs < lookNs && nowNs + LOOK_NS >= lookNs)) return;
      lookNs = nowNs + LOOK_NS;
      for (const [key, packet] of pending) {
        const age = nowNs - packet.firstNs;
        if (age < ALONE_NS) break;
        if (!handOn(key, packet, alone) && age >= LIFETIME_NS) remove(key);
      }
    },
    end(alone) {
      for (const [key, packet] of pending) handOn(key, packet, alone);
    },
    add(frame, id, offset, more) {
      const wireBytes = frame.wireEnd - frame.at;
      if (offset + wireBytes > PACKET_BYTES_MAX) return "malformed";
      const key = keyOf(frame, id);
      const packet = find(key, frame);
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

function keepAddresses(frame: Frame, bytes: Uint8Array): void {
  const addressBytes = frame.family === 4 ? 4 : 16;
  bytes.set(frame.bytes.subarray(frame.sourceAt, frame.sourceAt + addressBytes), 0);
  bytes.set(frame.bytes.subarray(frame.destinationAt, frame.destinationAt + addressBytes), 16);
}

/** What was captured ends at the first byte that no fragment captured. */
function capturedOf({ pieces }: Pending): number {
  let captured = 0;
  for (const { from, capturedTo } of pieces) {
    if (from <= captured) captured = Math.max(captured, capturedTo);
  }
  return captured;
}

/** Lays the frame over what is there of a datagram; false where its first fragment is not. */
function layFirst(frame: Frame, packet: Pending): boolean {
  packet.pieces.sort((a, b) => a.from - b.from);
  const captured = capturedOf(packet);
  if (packet.protocol !== IP_PROTOCOL.udp || captured < UDP_BYTES) return false;
  packet.length = Math.max(captured, u16(packet.bytes, PREFIX_BYTES + 4));
  frame.family = packet.family;
  frame.protocol = packet.protocol;
  layOver(frame, packet);
  return true;
}

function layOver(frame: Frame, packet: Pending): void {
  const captured = capturedOf(packet);
  frame.bytes = packet.bytes;
  frame.sourceAt = 0;
  frame.destinationAt = 16;
  frame.at = PREFIX_BYTES;
  frame.end = PREFIX_BYTES + Math.min(captured, packet.length);
  frame.wireEnd = PREFIX_BYTES + packet.length;
}
