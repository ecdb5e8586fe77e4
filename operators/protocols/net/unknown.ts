// SPDX-License-Identifier: Apache-2.0
// Any byte stream, as exchanges that are told apart by changes of direction and counted in bytes.
// It claims nothing by itself: connections that nobody claims get it where that is asked for.

import { byteSet } from "../../wire/byte_set.ts";
import { defineProtocol, type Step } from "../../wire/protocol.ts";

export const unknown = defineProtocol({
  name: "unknown",
  spec: "https://www.rfc-editor.org/rfc/rfc9293",
  transports: ["tcp"],
  fields: {},
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "prefix",
  starts: byteSet(),
  probe: () => ({ kind: "no" }),
  open: () => ({ up: false, down: false }),
  read(cursor, way, make, state): Step {
    const up = way !== "toClient";
    const begun = up ? state.up : state.down;
    if (up) state.up = !begun;
    else state.down = !begun;
    // The head is everything at hand; the rest, up to where the direction changes, is its body.
    if (begun) return { kind: "lost" };
    cursor.skip(cursor.remaining);
    const draft = { more: true };
    return up ? make.request(draft) : make.response({ ...draft, status: "unknown" });
  },
  lost(state, way) {
    if (way !== "toClient") state.up = false;
    if (way !== "toServer") state.down = false;
  },
});
