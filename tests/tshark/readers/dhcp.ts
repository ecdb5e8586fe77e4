// SPDX-License-Identifier: Apache-2.0
// DHCP for IPv4.

import { number, show } from "../pdml.ts";
import type { SharkReader } from "../shark_message.ts";

const TYPES = [
  ...["BOOTP", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"],
  ...["FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE"],
];
const NAK = 6;

export const dhcp: SharkReader = {
  protocol: "dhcp",
  decodeAs: ["dhcp"],
  parts: ["dhcp"],
  open: () => ({
    take(part, _way, emit) {
      const number_ = number(part, "dhcp.option.dhcp") ?? 0;
      const type = TYPES[number_] ?? String(number_);
      const isOneway = type === "DECLINE" || type === "RELEASE";
      const isReply = number(part, "dhcp.type") === 2;
      const given = show(part, "dhcp.ip.your") ?? "0.0.0.0";
      emit({
        facts: {
          kind: isOneway ? "oneway" : isReply ? "response" : "request",
          type,
          endpoint: type,
          ...(isReply && { status: number_ === NAK ? "client_error" : "ok" }),
        },
        fields: {
          message_type: type,
          transaction_id: number(part, "dhcp.id"),
          hardware_address: show(part, "dhcp.hw.mac_addr"),
          address: given !== "0.0.0.0" ? given : show(part, "dhcp.option.requested_ip_address"),
          server: show(part, "dhcp.option.dhcp_server_id"),
          host_name: show(part, "dhcp.option.hostname"),
          lease_seconds: number(part, "dhcp.option.ip_address_lease_time"),
        },
      });
    },
  }),
};
