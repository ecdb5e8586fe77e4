// SPDX-License-Identifier: Apache-2.0
// POP3: commands and replies; lines behind a reply are none of tshark's messages.

import { first, type Node, show } from "../../pdml.ts";
import type { Draft, SharkReader } from "../../shark_message.ts";

export const pop3: SharkReader = {
  protocol: "pop3",
  decodeAs: ["pop"],
  parts: ["pop"],
  open: () => {
    let isGreeted = false;
    return {
      take(part, way, emit) {
        if (way === "up") {
          if (first(part, "pop.request.command") !== undefined) emit(command(part));
          return;
        }
        const indicator = show(part, "pop.response.indicator");
        if (indicator !== "+OK" && indicator !== "-ERR") return;
        emit(reply(part, indicator, isGreeted ? "response" : "oneway"));
        isGreeted = true;
      },
    };
  },
};

function command(part: Node): Draft {
  const type = (show(part, "pop.request.command") ?? "").toUpperCase();
  const isSecret = type === "PASS" || type === "APOP" || type === "AUTH";
  const parameter = isSecret ? "" : show(part, "pop.request.parameter") ?? "";
  return {
    facts: { kind: "request", type, resource: parameter, endpoint: type },
    fields: { command: type, [type === "USER" ? "user" : "argument"]: parameter },
  };
}

const reply = (part: Node, indicator: string, kind: string): Draft => ({
  facts: { kind, status: indicator === "+OK" ? "ok" : "client_error" },
  fields: { reply: show(part, "pop.response.description") },
});
