// SPDX-License-Identifier: Apache-2.0
// The flows of all stream sockets that are open: which sockets make one, and where its numbers
// begin.

import type { ByteRun } from "../../../model/byte_run.ts";
import type { Address, Connection } from "../../../model/connection.ts";
import type { StreamEnd } from "../../../model/message.ts";
import type { Nanos } from "../../../model/time.ts";
import { ipBytes } from "./ip_bytes.ts";
import type { IpEnd } from "./ip_packet.ts";
import { type PacketOut, pathOf } from "./packet_out.ts";
import type { SocketSurvey } from "./socket_survey.ts";
import {
  addRun,
  endRun,
  type FlowEnd,
  flushIdleReads,
  flushReads,
  type StreamFlow,
} from "./stream_flow.ts";
import { unixClientEnd, unixServerEnd } from "./unix_ends.ts";

export interface StreamFlows {
  add(run: ByteRun, out: PacketOut): void;
  end(end: StreamEnd, out: PacketOut): void;
  /** Nothing follows. */
  flush(out: PacketOut): void;
}

/** `named` is called once for each path of a unix socket, with the address that stands for it. */
export function streamFlows(
  survey: SocketSurvey,
  named: (address: Uint8Array, path: string) => void,
): StreamFlows {
  const flows = new Map<number, StreamFlow>();
  const paths = new Set<string>();
  /** Flows with reads that may be continued, the longest waiting first. */
  const reading = new Set<StreamFlow>();

  function flushIdle(nowNs: Nanos, out: PacketOut): void {
    for (const flow of reading) {
      if (!flushIdleReads(flow, nowNs, out)) return;
      reading.delete(flow);
    }
  }

  function flowOf(socket: Connection): StreamFlow {
    const known = flows.get(socket.conn);
    if (known !== undefined) return known;
    const partner = partnerOf(survey, socket);
    const joined = flows.get(partner);
    if (joined !== undefined && join(joined, socket)) {
      flows.set(socket.conn, joined);
      return joined;
    }
    const flow = openFlow(survey, socket, partner);
    flows.set(socket.conn, flow);
    if (socket.transport === "unix") name(flow, pathOf(socket));
    return flow;
  }

  function name({ server }: StreamFlow, path: string): void {
    if (paths.has(path) || paths.size >= PATHS_MAX) return;
    paths.add(path);
    named(server.address.ip, path);
  }

  return {
    add(run, out) {
      const { connection } = run;
      if (connection.conn >= survey.sockets) return;
      flushIdle(run.emitNs, out);
      const flow = flowOf(connection);
      addRun(flow, run, out);
      reading.delete(flow);
      if (flow.reads !== null) reading.add(flow);
    },
    end({ connection, direction, emitNs, reason }, out) {
      const flow = flows.get(connection.conn);
      if (flow === undefined) return;
      if (direction !== "both") {
        if (direction === "ingress") endRun(flow, connection, "eof", emitNs, out);
        return;
      }
      endRun(flow, connection, reason === "reset" ? "reset" : "close", emitNs, out);
      flows.delete(connection.conn);
    },
    flush(out) {
      for (const flow of reading) flushReads(flow, out);
    },
  };
}

/** Paths that get a name record. */
const PATHS_MAX = 4_096;

/** -1 without one, or where the sequence numbers show that it is another connection's. */
function partnerOf(survey: SocketSurvey, { conn, joinedMidstream }: Connection): number {
  const partner = survey.partnerOf(conn);
  if (partner < 0 || joinedMidstream) return partner;
  const differs = (a: number | null, b: number | null) => a !== null && b !== null && a !== b;
  const own = [survey.baseOf(conn, "egress"), survey.baseOf(conn, "ingress")] as const;
  const theirs = [survey.baseOf(partner, "ingress"), survey.baseOf(partner, "egress")] as const;
  return differs(own[0], theirs[0]) || differs(own[1], theirs[1]) ? -1 : partner;
}

/** The second socket takes the end that was kept for it. */
function join(flow: StreamFlow, socket: Connection): boolean {
  const free = flow.client.socket === null ? flow.client : flow.server;
  if (free.socket !== null) return false;
  free.socket = socket;
  return true;
}

function openFlow(survey: SocketSurvey, socket: Connection, partner: number): StreamFlow {
  const own = isClient(socket);
  const [here, there] = addressesOf(socket, own);
  const local = endOf(survey, socket, partner, true, here);
  const peer = endOf(survey, socket, partner, false, there);
  local.acked = peer.next;
  peer.acked = local.next;
  const [client, server] = own ? [local, peer] : [peer, local];
  return { client, server, lastNs: 0n, begun: false, reads: null, isShared: partner >= 0 };
}

function endOf(
  survey: SocketSurvey,
  socket: Connection,
  partner: number,
  isOwn: boolean,
  address: IpEnd,
): FlowEnd {
  const [sender, receiver] = isOwn ? [socket.conn, partner] : [partner, socket.conn];
  const sent = survey.baseOf(sender, "egress"), received = survey.baseOf(receiver, "ingress");
  const made = Number(BigInt.asUintN(32, (socket.cookie * 2n + (isOwn ? 1n : 0n)) * 0x9e3779b1n));
  const base = sent ?? received ?? made;
  const baseAtPeer = received ?? base;
  const tellsOwn = sender >= 0 &&
    survey.capturedBy(sender, "egress") >= survey.capturedBy(receiver, "ingress");
  return {
    address,
    socket: isOwn ? socket : null,
    program: null,
    base,
    baseAtPeer,
    tellsOwn,
    next: tellsOwn ? base : baseAtPeer,
    acked: 0,
    finished: false,
  };
}

/** Where the kernel did not see the beginning, the lower port is taken for the server's. */
function isClient({ role, local, peer, transport }: Connection): boolean {
  if (role !== "unknown") return role === "client";
  return transport === "unix" ? local.ip === "" : local.port >= peer.port;
}

function addressesOf(socket: Connection, isClientHere: boolean): [here: IpEnd, there: IpEnd] {
  if (socket.transport === "unix") {
    const server = unixServerEnd(pathOf(socket));
    const client = unixClientEnd(socket);
    return isClientHere ? [client, server] : [server, client];
  }
  return [ipEnd(socket.local), ipEnd(socket.peer)];
}

const NOWHERE = new Uint8Array(4);

const ipEnd = ({ ip, port }: Address): IpEnd => ({ ip: ipBytes(ip) ?? NOWHERE, port });
