// SPDX-License-Identifier: Apache-2.0
// LDAP: operations by their number; the entries of a search count to its end.

import { first, type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const ldap: SharkReader = {
  protocol: "ldap",
  decodeAs: ["ldap"],
  parts: ["ldap"],
  open: () => {
    const entries = new Map<number, number>();
    return {
      take(part, _way, emit) {
        for (const message of nodesNamed(part, "ldap.LDAPMessage_element")) {
          const id = number(message, "ldap.messageID") ?? 0;
          const operation = number(message, "ldap.protocolOp") ?? -1;
          if (operation === ENTRY) entries.set(id, (entries.get(id) ?? 0) + 1);
          const type = TYPES[operation];
          if (type === undefined) continue;
          const found = operation === DONE ? entries.get(id) ?? 0 : undefined;
          emit(draftOf(message, id, type, found));
        }
      },
    };
  },
};

const ENTRY = 4, DONE = 5;
/** By the tag of the operation. */
const TYPES: Readonly<Record<number, string>> = {
  0: "BIND",
  1: "BIND_RESPONSE",
  2: "UNBIND",
  3: "SEARCH",
  5: "SEARCH_DONE",
  6: "MODIFY",
  7: "MODIFY_RESPONSE",
  8: "ADD",
  9: "ADD_RESPONSE",
  10: "DELETE",
  11: "DELETE_RESPONSE",
  14: "COMPARE",
  12: "MODIFY_DN",
  13: "MODIFY_DN_RESPONSE",
  15: "COMPARE_RESPONSE",
  16: "ABANDON",
  23: "EXTENDED",
  24: "EXTENDED_RESPONSE",
};
const SCOPES = ["base", "one", "sub"];
const NAMES = [
  "ldap.name",
  "ldap.baseObject",
  "ldap.object",
  "ldap.entry",
  "ldap.delRequest",
  "ldap.requestName",
];

function draftOf(message: Node, id: number, type: string, entries: number | undefined): Draft {
  const code = number(message, "ldap.resultCode");
  const isRequest = code === undefined;
  const named = isRequest
    ? NAMES.map((name) => show(message, name)).find((each) => each !== undefined && each !== "")
    : undefined;
  const scope = number(message, "ldap.scope");
  const isOneway = type === "UNBIND" || type === "ABANDON";
  return {
    facts: {
      kind: isOneway ? "oneway" : isRequest ? "request" : "response",
      type,
      ...(named !== undefined && { resource: named }),
      ...(!isOneway && { id: `${id}` }),
      ...(code !== undefined && { code }),
      ...(code === 0 && { status: "ok" }),
    },
    fields: {
      dn: type === "EXTENDED" ? undefined : named,
      scope: scope === undefined ? undefined : SCOPES[scope],
      filter: filterOf(message),
      message_id: id,
      result_code: code,
      entries,
    },
  };
}

function filterOf(message: Node): string | undefined {
  const filter = first(message, "ldap.searchRequest_element");
  const [, text] = /^Filter: (.*)$/s.exec(
    filter?.children.find(({ show }) => show.startsWith("Filter: "))?.show ?? "",
  ) ?? [];
  return text;
}
