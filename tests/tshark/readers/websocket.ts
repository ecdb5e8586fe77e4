// SPDX-License-Identifier: Apache-2.0
// WebSocket: a message begins with a frame that is no continuation.

import { number, show } from "../pdml.ts";
import type { SharkMessage, SharkReader, Way } from "../shark_message.ts";

export const websocket: SharkReader = {
  protocol: "websocket",
  decodeAs: ["http"],
  parts: ["websocket"],
  open: () => {
    const open = new Map<Way, SharkMessage>();
    return {
      take(part, way, emit) {
        const type = TYPES[number(part, "websocket.opcode") ?? -1];
        const known = open.get(way);
        if (type === undefined) {
          if (known !== undefined) known.fields["frames"] = Number(known.fields["frames"] ?? 1) + 1;
          return;
        }
        const code = number(part, "websocket.payload.close.status_code");
        const size = LENGTHS.map((name) => number(part, name)).find((each) => each !== undefined);
        const isData = type === "TEXT" || type === "BINARY";
        const message = emit({
          facts: { type, ...(code !== undefined && { code }) },
          fields: {
            body_size: isData ? size : undefined,
            close_code: code,
            close_reason: show(part, "websocket.payload.close.reason"),
          },
        });
        if (isData) open.set(way, message);
      },
    };
  },
};

const TYPES: Readonly<Record<number, string>> = {
  1: "TEXT",
  2: "BINARY",
  8: "CLOSE",
  9: "PING",
  10: "PONG",
};

/** The longer forms stand beside the short one that announces them. */
const LENGTHS = [
  "websocket.payload_length_ext_64",
  "websocket.payload_length_ext_16",
  "websocket.payload_length",
];
