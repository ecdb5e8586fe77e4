// SPDX-License-Identifier: Apache-2.0
// UDP flows of a capture file. They have no end of their own: an idle one is closed.

import type { Connection } from "../../../model/connection.ts";
import { LIMITS } from "../../../model/limits.ts";
import { MINUTE, type Nanos } from "../../../model/time.ts";
import { connectionOf, endsOf, isFromServer, isServerBySourcePort } from "./flow_ends.ts";
import { closeOf, eventOf, type FlowOutputs } from "./flow_records.ts";
import { type Entry, flowTable } from "./flow_table.ts";
import { type Frame, u16 } from "../packets/frame.ts";
import type { TransportFlows } from "./tcp_flows.ts";

interface UdpFlow {
  readonly connection: Connection;
  toServerBytes: number;
  toClientBytes: number;
  lastNs: Nanos;
}

/** Longer than any request over UDP is waited for. */
const IDLE_NS = 2n * MINUTE;

const HEADER_BYTES = 8;

export function udpFlows(out: FlowOutputs, flowsMax = LIMITS.connections.value): TransportFlows {
  const flows = flowTable<UdpFlow>();

  function makeRoom(nowNs: Nanos): void {
    for (let oldest = flows.oldest(); oldest !== null; oldest = flows.oldest()) {
      const idle = nowNs - oldest.flow.lastNs > IDLE_NS;
      if (!idle && flows.size < flowsMax) return;
      flows.remove(oldest);
      out.emit(closeOf(oldest.flow.connection, nowNs, "close"));
      if (!idle) out.forgotten();
    }
  }

  function start(frame: Frame, timeNs: Nanos): Entry<UdpFlow> {
    makeRoom(timeNs);
    const ends = endsOf(frame, isServerBySourcePort(frame));
    const connection = connectionOf({
      conn: out.nextConn(),
      transport: "udp",
      ends,
      firstNs: timeNs,
      joinedMidstream: false,
    });
    return flows.add(frame, ends, {
      connection,
      toServerBytes: 0,
      toClientBytes: 0,
      lastNs: timeNs,
    });
  }

  return {
    take(frame, timeNs) {
      const { bytes, at } = frame;
      const announced = u16(bytes, at + 4);
      if (at + HEADER_BYTES > frame.end) return false;
      const room = frame.wireEnd - at;
      // 0 is left by segmentation offload: then the datagram is as long as the packet.
      const total = announced === 0 ? room : announced;
      if (total < HEADER_BYTES || total > room) return false;
      const length = total - HEADER_BYTES;
      if (length === 0) return true;
      const entry = flows.find(frame) ?? start(frame, timeNs);
      const { flow } = entry;
      const fromServer = isFromServer(frame, entry.ends);
      out.emit(eventOf({
        connection: flow.connection,
        direction: fromServer ? "egress" : "ingress",
        timeNs,
        streamOffset: fromServer ? flow.toClientBytes : flow.toServerBytes,
        length,
        payload: bytes.subarray(at + HEADER_BYTES, Math.min(frame.end, at + total)),
        seq: -1,
        eof: false,
      }));
      if (fromServer) flow.toClientBytes += length;
      else flow.toServerBytes += length;
      flow.lastNs = timeNs;
      return true;
    },
    held: () => flows.size,
  };
}
