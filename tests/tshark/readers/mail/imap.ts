// SPDX-License-Identifier: Apache-2.0
// IMAP: commands and tagged replies.

import { type Node, nodesNamed, number, show } from "../../pdml.ts";
import type { Draft, SharkReader } from "../../shark_message.ts";

export const imap: SharkReader = {
  protocol: "imap",
  decodeAs: ["imap"],
  parts: ["imap"],
  open: () => {
    let isGreeted = false;
    return {
      take(part, _way, emit) {
        const isRequest = number(part, "imap.isrequest") === 1;
        for (const line of nodesNamed(part, "imap.line")) {
          if (isRequest) {
            if (show(line, "imap.request.command") !== undefined) emit(command(line));
          } else if (!isGreeted && /^\* (?:OK|PREAUTH)/.test(line.show)) {
            isGreeted = true;
            emit({ facts: { kind: "oneway", type: "GREETING" } });
          } else if (OUTCOMES.has(show(line, "imap.response.status") ?? "")) emit(reply(line));
        }
      },
    };
  },
};

/** Else it is a line of data, which tshark takes for a reply. */
const OUTCOMES = new Set(["OK", "NO", "BAD"]);

function command(line: Node): Draft {
  const tag = show(line, "imap.request_tag") ?? "";
  const verb = (show(line, "imap.request.command") ?? "").toUpperCase();
  const uid = show(line, "imap.request.command.uid");
  const type = uid !== undefined && !verb.startsWith("UID ") ? `UID ${verb}` : verb;
  return {
    facts: { kind: "request", type, endpoint: type, id: tag },
    fields: { command: type, tag, mailbox: show(line, "imap.request.folder")?.replaceAll('"', "") },
  };
}

function reply(line: Node): Draft {
  const tag = show(line, "imap.response_tag") ?? "";
  const outcome = show(line, "imap.response.status")?.toUpperCase();
  return {
    facts: { kind: "response", id: tag, ...(outcome === "OK" && { status: "ok" }) },
    fields: { tag, outcome },
  };
}
