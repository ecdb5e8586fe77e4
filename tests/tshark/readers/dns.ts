// SPDX-License-Identifier: Apache-2.0
// DNS over UDP and TCP.

import { first, type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const dns: SharkReader = {
  protocol: "dns",
  decodeAs: ["dns"],
  parts: ["dns"],
  open: () => ({ take: (part, _way, emit) => void emit(message(part)) }),
};

const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

function message(part: Node): Draft {
  const isResponse = number(part, "dns.flags.response") === 1;
  const query = part.children.find(({ show }) => show === "Queries") ?? part;
  const shown = show(query, "dns.qry.name") ?? "";
  const name = shown === "<Root>" ? "." : shown;
  const word = /Type: (\S+)/i.exec(first(query, "dns.qry.type")?.showname ?? "")?.[1] ?? "";
  const type = word === "*" ? "ANY" : word;
  const rcode = number(part, "dns.flags.rcode");
  const code = isResponse ? rcode : undefined;
  return {
    facts: {
      kind: isResponse ? "response" : "request",
      type,
      resource: name,
      endpoint: name,
      id: `${number(part, "dns.id") ?? ""}`,
      ...(code !== undefined && { code }),
      ...(code === 0 && { status: "ok" }),
    },
    fields: {
      question: name,
      question_type: type,
      rcode: code === undefined ? undefined : RCODES[code],
      answers: isResponse ? answersOf(part) : undefined,
      truncated: number(part, "dns.flags.truncated") === 1 ? true : undefined,
    },
  };
}

/** Addresses only: other records have no one text. */
function answersOf(part: Node): string | undefined {
  const answers = part.children.find(({ show }) => show === "Answers");
  if (answers === undefined) return undefined;
  const records = [...nodesNamed(answers, "dns.resp.name")].length;
  const addresses = [...nodesNamed(answers, "dns.a")].map(({ show }) => show);
  const ttls = [...nodesNamed(answers, "dns.resp.ttl")].map(({ show }) => show);
  if (addresses.length === 0 || addresses.length !== records) return undefined;
  return addresses.map((ip, i) => `A=${ip} TTL=${ttls[i]}`).join("; ");
}
