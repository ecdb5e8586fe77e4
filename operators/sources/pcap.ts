// SPDX-License-Identifier: Apache-2.0
// Source: packets of a pcap or pcapng file, as `tcpdump -w` and Wireshark write them.
//
// There are no processes in such a file, so records name none and lead to network spans only.
// Time: packets carry Unix time; boot time is taken to be the same, and a clock record says so.

import type { Source, SourceOutputs, SourceStage } from "../../engine/source.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import { MILLISECOND, type Nanos } from "../../model/time.ts";
import { type ByteInput, FileWindow, openInput } from "./file_window.ts";
import { assembleFragments, type TakeAlone } from "./packets/fragments.ts";
import { emptyFrame } from "./packets/frame.ts";
import { IP_PROTOCOL } from "./packets/ip.ts";
import { emptyPacket, type PacketReader } from "./packets/packet.ts";
import { openPcapFile } from "./packets/pcap_file.ts";
import { openPcapngFile } from "./packets/pcapng_file.ts";
import { tcpFlows } from "./flows/tcp_flows.ts";
import { udpFlows } from "./flows/udp_flows.ts";
import { unwrap } from "./packets/unwrap.ts";
import { watermarkSteps } from "./watermark_steps.ts";

/** Interfaces of one file are written behind each other: packets may be this much out of order. */
const DISORDER_NS = 10n * MILLISECOND;

/** Both formats start with at least this many bytes. */
const FILE_START_BYTES = 24;

type Out = SourceOutputs<CaptureRecord, never, DropReason>;

/** `path` "-" reads standard input. Opening throws one clear sentence when it cannot be read. */
export function pcap(path: string): Source<CaptureRecord, never, DropReason> {
  return pcapFrom(() => openInput(path, "capture file"), path);
}

/** The same over anything that gives bytes; `name` stands in messages. */
export function pcapFrom(
  open: () => ByteInput,
  name: string,
  chunkBytes?: number,
): Source<CaptureRecord, never, DropReason> {
  return {
    name: "pcap",
    limits: ["connections", "packetFragments"],
    open(out) {
      const window = new FileWindow(open(), chunkBytes);
      try {
        return openStage(window, openReader(window, name), out);
      } catch (error) {
        window[Symbol.dispose]();
        throw error;
      }
    },
  };
}

function openReader(window: FileWindow, name: string): PacketReader {
  if (!window.fillSync(FILE_START_BYTES)) {
    throw new Error(`Cannot read capture file ${name}: it ends before its first packet`);
  }
  let reader: PacketReader | null;
  try {
    reader = openPcapFile(window) ?? openPcapngFile(window);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read capture file ${name}: ${reason}`, { cause: error });
  }
  if (reader !== null) return reader;
  const gzipped = window.bytes[window.start] === 0x1f && window.bytes[window.start + 1] === 0x8b;
  throw new Error(
    gzipped
      ? `Cannot read capture file ${name}: it is compressed, run gunzip on it first`
      : `Cannot read capture file ${name}: it is neither pcap nor pcapng`,
  );
}

function openStage(window: FileWindow, reader: PacketReader, out: Out): SourceStage {
  const queue: CaptureRecord[] = [];
  let next = 0;
  const packets = packetsToRecords((record) => void queue.push(record), out);
  const stepTo = watermarkSteps(DISORDER_NS, out.advance);
  let over = false;

  /** What waited for further packets was handed on. */
  let ended = false;
  const isOver = () => over || (window.ended && window.start === window.end);

  let lost = 0;

  /** The file says what was lost in totals that rise. */
  function countLost(): void {
    const rose = reader.lost() - lost;
    if (rose <= 0) return;
    lost += rose;
    out.drop("packet_lost", rose);
  }

  function readPacket(): boolean {
    const result = reader.next(window, packets.packet);
    if (result === "packet") packets.take();
    else if (result === "malformed") out.drop("packet_malformed");
    else if (result === "corrupt" || (window.ended && window.end > window.start)) {
      out.drop("packet_malformed");
      over = true;
    } else return false;
    return !over;
  }

  return {
    pull(recordsMax) {
      let count = 0;
      while (count < recordsMax) {
        const record = queue[next];
        if (record === undefined) {
          queue.length = next = 0;
          if (!over && readPacket()) continue;
          if (isOver() && !ended) {
            ended = true;
            packets.end();
            continue;
          }
          countLost();
          break;
        }
        next++;
        count++;
        stepTo(record.emitNs);
        out.emit(record);
      }
      return count;
    },
    done: () => next >= queue.length && ended && isOver(),
    wait: () => window.fill(),
    stop() {
      over = ended = true;
    },
    held: () => queue.length - next,
    [Symbol.dispose]: () => window[Symbol.dispose](),
  };
}

/** Takes one packet after the other, in `packet`, and emits the records that come of it. */
function packetsToRecords(emit: (record: CaptureRecord) => void, out: Out) {
  let conns = 0;
  let clockNs: Nanos | null = null;
  const flowOutputs = {
    emit,
    forgotten: () => out.drop("connections_full"),
    nextConn: () => conns++,
  };
  const tcp = tcpFlows(flowOutputs);
  const udp = udpFlows(flowOutputs);
  const fragments = assembleFragments((packets) => out.drop("packet_malformed", packets));
  const packet = emptyPacket();
  const frame = emptyFrame();
  const takeAlone: TakeAlone = (cut, firstNs) => {
    if (!udp.take(cut, firstNs)) out.drop("packet_malformed");
  };
  return {
    packet,
    /** No packet follows. */
    end: () => fragments.end(takeAlone),
    take() {
      const { timeNs } = packet;
      if (clockNs === null) {
        clockNs = timeNs;
        emit({ kind: "clock", emitNs: timeNs, bootNs: timeNs, realNs: timeNs });
      }
      fragments.tick(timeNs, takeAlone);
      const layer = unwrap(packet, frame, fragments);
      if (layer === "unsupported") out.drop("packet_unsupported");
      if (layer === "malformed") out.drop("packet_malformed");
      if (layer !== "transport") return;
      const flows = frame.protocol === IP_PROTOCOL.tcp ? tcp : udp;
      if (!flows.take(frame, timeNs)) out.drop("packet_malformed");
    },
  };
}
