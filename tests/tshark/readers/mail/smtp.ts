// SPDX-License-Identifier: Apache-2.0
// SMTP: commands, replies, and the letter itself, which tshark shows as fragments.

import { first, type Node, number, show } from "../../pdml.ts";
import type { Draft, SharkReader } from "../../shark_message.ts";

export const smtp: SharkReader = {
  protocol: "smtp",
  decodeAs: ["smtp"],
  parts: ["smtp"],
  open: () => {
    let isGreeted = false;
    return {
      take(part, way, emit) {
        if (way === "down") {
          if (first(part, "smtp.response") === undefined) return;
          emit(reply(part, isGreeted ? "response" : "oneway"));
          isGreeted = true;
        } else if (show(part, "smtp.req.command") !== undefined) emit(command(part));
        else if (show(part, "smtp.eom") !== undefined) {
          emit({ facts: { kind: "request", type: "MESSAGE" } });
        }
      },
    };
  },
};

function command(part: Node): Draft {
  const type = (show(part, "smtp.req.command") ?? "").toUpperCase();
  const parameter = show(part, "smtp.req.parameter") ?? "";
  const address = /^(?:FROM|TO):<(.*?)>/i.exec(parameter)?.[1];
  return {
    facts: {
      kind: "request",
      type,
      ...(address !== undefined && { resource: address }),
      endpoint: type,
    },
    fields: {
      command: type,
      sender: type === "MAIL" ? address : undefined,
      recipient: type === "RCPT" ? address : undefined,
      client_name: type === "EHLO" || type === "HELO" ? parameter : undefined,
      mechanism: type === "AUTH" ? parameter.split(" ")[0] : undefined,
    },
  };
}

/** Of several lines the first is told. */
function reply(part: Node, kind: string): Draft {
  const code = number(part, "smtp.response.code") ?? 0;
  const status = code >= 500 ? "client_error" : code >= 400 ? "server_error" : "ok";
  return {
    facts: { kind, code, status },
    fields: { status_code: code, reply: show(part, "smtp.rsp.parameter") },
  };
}
