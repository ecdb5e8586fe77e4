// SPDX-License-Identifier: Apache-2.0
// SIP: requests and final responses; provisional ones (1xx) answer nothing yet.

import { type Node, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const sip: SharkReader = {
  protocol: "sip",
  decodeAs: ["sip"],
  parts: ["sip"],
  open: () => ({
    take(part, _way, emit) {
      const code = number(part, "sip.Status-Code");
      if (show(part, "sip.CSeq") === undefined) return;
      if (code === undefined) emit(request(part));
      else if (code >= 200) emit(response(part, code));
    },
  }),
};

function request(part: Node): Draft {
  const type = show(part, "sip.Method") ?? "";
  const uri = show(part, "sip.r-uri")?.split(";", 1)[0];
  return {
    facts: {
      kind: type === "ACK" ? "oneway" : "request",
      type,
      endpoint: type,
      ...(uri !== undefined && { resource: uri }),
    },
    fields: { method: type, uri, ...callOf(part) },
  };
}

const response = (part: Node, code: number): Draft => ({
  facts: { kind: "response", code, ...(code < 300 && { status: "ok" }) },
  fields: { status_code: code, ...callOf(part) },
});

const callOf = (part: Node) => ({
  call_id: show(part, "sip.Call-ID"),
  sequence: show(part, "sip.CSeq")?.replace(/\s+/g, " "),
  user_agent: show(part, "sip.User-Agent") ?? show(part, "sip.Server"),
});
