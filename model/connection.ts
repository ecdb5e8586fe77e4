// SPDX-License-Identifier: Apache-2.0
// A socket as the kernel knows it: identity, role and addresses, shared by all records of that
// socket.

import type { Nanos } from "./time.ts";

/** Which end of the connection the traced process holds; "unknown" until it is known. */
export type Role = "client" | "server" | "unknown";

export type Transport = "tcp" | "udp" | "unix";

/**
 * One end of a flow. `ip` is canonical text (IPv4-mapped IPv6 is written as IPv4); unix: the path
 * or "".
 */
export interface Address {
  readonly ip: string;
  readonly port: number;
}

/**
 * One socket, interned by the source: there is one object per socket, compared by reference.
 * Mutable only where more is learned later (role, addresses of an unconnected UDP socket, peer of
 * a unix socket that was not accepted yet).
 */
export interface Connection {
  /** Dense index given by the source, small enough to key arrays. Never reused within a run. */
  readonly conn: number;
  /** Socket cookie: unique per boot and host. For packets of a capture file: a hash of the flow. */
  readonly cookie: bigint;
  readonly transport: Transport;
  /** Inode number of the network namespace: 127.0.0.1 repeats in each. */
  readonly netns: number;
  role: Role;
  local: Address;
  peer: Address;
  /** Boot time at which the connection was established, 0 when older than the tracer. */
  readonly startNs: Nanos;
  /** The connection is older than the capture: stream offset 0 is the first byte seen. */
  readonly joinedMidstream: boolean;
  /** "process": seen at the system calls of a process; "nic": seen as packets on the wire. */
  readonly observer: "process" | "nic";
  /** Cookie of the socket at the other end, unix sockets only; 0 otherwise. */
  peerCookie: bigint;
  /** Bytes passed by a way on which they cannot be seen: which, the last time. */
  unseenVia?: "sendfile" | "splice" | "io_uring";
}

export function formatAddress(address: Address): string {
  if (address.port === 0) return address.ip;
  return address.ip.includes(":")
    ? `[${address.ip}]:${address.port}`
    : `${address.ip}:${address.port}`;
}
