// SPDX-License-Identifier: Apache-2.0
// RADIUS.

import { number, show } from "../pdml.ts";
import type { SharkReader } from "../shark_message.ts";

const CODES: Readonly<Record<number, string>> = {
  1: "ACCESS_REQUEST",
  2: "ACCESS_ACCEPT",
  3: "ACCESS_REJECT",
  4: "ACCOUNTING_REQUEST",
  5: "ACCOUNTING_RESPONSE",
  11: "ACCESS_CHALLENGE",
  12: "STATUS_SERVER",
  40: "DISCONNECT_REQUEST",
  41: "DISCONNECT_ACK",
  42: "DISCONNECT_NAK",
  43: "COA_REQUEST",
  44: "COA_ACK",
  45: "COA_NAK",
};
const REQUESTS = new Set([1, 4, 12, 40, 43]);

export const radius: SharkReader = {
  protocol: "radius",
  decodeAs: ["radius"],
  parts: ["radius"],
  open: () => ({
    take(part, _way, emit) {
      const code = number(part, "radius.code") ?? 0;
      const type = CODES[code] ?? "";
      emit({
        facts: { kind: REQUESTS.has(code) ? "request" : "response", type },
        fields: {
          code: type,
          packet_id: number(part, "radius.id"),
          user: show(part, "radius.User_Name"),
          client_name: show(part, "radius.NAS_Identifier"),
          client_address: show(part, "radius.NAS_IP_Address"),
          session: show(part, "radius.Acct_Session_Id"),
          reply: show(part, "radius.Reply_Message"),
        },
      });
    },
  }),
};
