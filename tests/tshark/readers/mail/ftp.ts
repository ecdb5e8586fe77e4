// SPDX-License-Identifier: Apache-2.0
// FTP: commands, and replies of which several lines are one.

import { type Node, number, show } from "../../pdml.ts";
import type { Draft, SharkReader } from "../../shark_message.ts";

export const ftp: SharkReader = {
  protocol: "ftp",
  decodeAs: ["ftp"],
  parts: ["ftp"],
  open: () => {
    let isGreeted = false;
    /** A reply of several lines has begun: its end repeats the code. */
    let begun = -1;
    return {
      take(part, way, emit) {
        if (way === "up") {
          if (show(part, "ftp.request.command") !== undefined) emit(command(part));
          return;
        }
        const code = number(part, "ftp.response.code");
        const isLast = part.children.some(({ show }) => show.startsWith(`${code} `));
        const isRest = code === begun;
        begun = isLast ? -1 : code ?? begun;
        // What only says that the reply is to come is none, as with HTTP.
        if (code === undefined || isRest || code < 200) return;
        emit(reply(part, code, isGreeted ? "response" : "oneway"));
        isGreeted = true;
      },
    };
  },
};

function command(part: Node): Draft {
  const type = (show(part, "ftp.request.command") ?? "").toUpperCase();
  const argument = show(part, "ftp.request.arg");
  const isSecret = type === "PASS" || type === "ACCT";
  return {
    facts: {
      kind: "request",
      type,
      ...(!isSecret && argument !== undefined && { resource: argument }),
      endpoint: type,
    },
    fields: { command: type, user: type === "USER" ? argument : undefined },
  };
}

function reply(part: Node, code: number, kind: string): Draft {
  const status = code >= 500 ? "client_error" : code >= 400 ? "server_error" : "ok";
  return {
    facts: { kind, code, status },
    fields: { status_code: code, reply: show(part, "ftp.response.arg") },
  };
}
