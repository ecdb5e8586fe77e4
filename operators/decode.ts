// SPDX-License-Identifier: Apache-2.0
// Operator: bytes to messages, by the protocol that claimed the connection.

import type { Operator, Stage } from "../engine/operator.ts";
import type { DropReason } from "../model/drops.ts";
import type { DecodeEvent } from "../model/message.ts";
import type { ClaimedRecord } from "./streams/claim.ts";
import { Decoder } from "./streams/decoder.ts";

export const decode: Operator<ClaimedRecord, DecodeEvent, void, never, DropReason> = {
  name: "decode",
  limits: ["decodeBytes"],
  open(_params, out): Stage<ClaimedRecord> {
    const decoder = new Decoder(out);
    return {
      push({ record, claim }) {
        if (record.kind === "stream_end") decoder.end(record, claim);
        else if (claim.over !== "no") return;
        else if (record.connection.transport === "udp") decoder.datagram(record, claim);
        else decoder.run(record, claim);
      },
      advance: (watermarkNs) => decoder.advance(watermarkNs),
      end: () => decoder.finish(),
      held: () => decoder.waiting,
    };
  },
};
