// SPDX-License-Identifier: Apache-2.0
// SNMP 1 and 2c.

import { type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const snmp: SharkReader = {
  protocol: "snmp",
  decodeAs: ["snmp"],
  parts: ["snmp"],
  open: () => ({ take: (part, _way, emit) => void emit(message(part)) }),
};

const TYPES = ["GET", "GETNEXT", "RESPONSE", "SET", "TRAP", "GETBULK", "INFORM", "TRAP", "REPORT"];
const VERSIONS = ["1", "2c", "", "3"];

function message(part: Node): Draft {
  const type = TYPES[number(part, "snmp.data") ?? -1] ?? "";
  const names = [...nodesNamed(part, "snmp.name")].map(({ show }) => show);
  const isAnswer = type === "RESPONSE" || type === "REPORT";
  // Version 3 pairs by the id of its header.
  const id = show(part, "snmp.msgID") ?? show(part, "snmp.request_id");
  const code = type === "RESPONSE" ? number(part, "snmp.error_status") : undefined;
  return {
    facts: {
      kind: isAnswer ? "response" : type === "TRAP" ? "oneway" : "request",
      type,
      resource: names[0] ?? "",
      endpoint: type,
      id: id ?? "",
      ...(code !== undefined && { code }),
      ...(code === 0 && { status: "ok" }),
    },
    fields: {
      oid: names[0],
      variables: names.length,
      version: VERSIONS[number(part, "snmp.version") ?? -1],
      request_id: number(part, "snmp.request_id"),
    },
  };
}
