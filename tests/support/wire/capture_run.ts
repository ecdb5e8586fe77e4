// SPDX-License-Identifier: Apache-2.0
// The messages of a capture file, through the pcap source and the chain.

import { isSocketRecord } from "../../../model/capture_record.ts";
import type { Message } from "../../../model/message.ts";
import { pcap } from "../../../operators/sources/pcap.ts";
import { wireChain } from "./wire_chain.ts";

/** Those of one protocol, or of all. */
export async function runCapture(path: string, protocol?: string): Promise<Message[]> {
  const chain = wireChain();
  const source = pcap(path).open({
    emit(record) {
      if (isSocketRecord(record)) chain.push(record);
    },
    side() {},
    drop() {},
    advance: (watermarkNs) => chain.advance(watermarkNs),
  });
  try {
    const { signal } = new AbortController();
    while (!source.done()) {
      if (source.pull(1_000) === 0 && !source.done()) await source.wait(signal);
    }
  } finally {
    source[Symbol.dispose]();
  }
  chain.end();
  return chain.messages.flatMap((event) =>
    event.kind === "message" && (protocol === undefined || event.protocol === protocol)
      ? [event.message]
      : []
  );
}
