// SPDX-License-Identifier: Apache-2.0
// FastCGI: the parameters of a request, the header that its output begins with, its end.

import { bytesOf, first, type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkConnection, SharkMessage, SharkReader } from "../shark_message.ts";

export const fastcgi: SharkReader = {
  protocol: "fastcgi",
  decodeAs: ["fcgi"],
  parts: ["fcgi"],
  open: connection,
};

const RECORD = { end: 3, params: 4, stdout: 6 } as const;

function connection(): SharkConnection {
  const answers = new Map<string, SharkMessage>();
  return {
    take(part, _way, emit) {
      const id = show(part, "fcgi.id") ?? "";
      switch (number(part, "fcgi.type")) {
        case RECORD.params:
          if ((number(part, "fcgi.content.length") ?? 0) > 0) emit(request(part, id));
          return;
        case RECORD.stdout:
          if (!answers.has(id) && (number(part, "fcgi.content.length") ?? 0) > 0) {
            answers.set(id, emit(response(part, id)));
          }
          return;
        case RECORD.end:
          answers.delete(id);
      }
    },
  };
}

function request(part: Node, id: string): Draft {
  const parameters = new Map<string, string>();
  for (const node of nodesNamed(part, "fcgi.nv_name")) {
    const [, name, value] = /^(\w+) = (.*)$/s.exec(node.showname) ?? [];
    if (name !== undefined && value !== undefined) parameters.set(name, value);
  }
  const target = parameters.get("REQUEST_URI") ?? "";
  const [path = ""] = target.split("?");
  return {
    facts: {
      kind: "request",
      type: parameters.get("REQUEST_METHOD") ?? "",
      resource: target,
      ...(parameters.has("HTTP_HOST") && { domain: parameters.get("HTTP_HOST") ?? "" }),
      id,
    },
    fields: {
      method: parameters.get("REQUEST_METHOD"),
      path,
      script: parameters.get("SCRIPT_FILENAME"),
      client_ip: parameters.get("REMOTE_ADDR"),
      user_agent: parameters.get("HTTP_USER_AGENT"),
    },
  };
}

/** The header is text; without a Status line all is well. */
function response(part: Node, id: string): Draft {
  const content = first(part, "fcgi.content.data");
  const head = content === undefined ? "" : new TextDecoder().decode(bytesOf(content));
  if (head === "") return { facts: { kind: "response", id } };
  const code = Number(/^Status:\s*(\d+)/mi.exec(head)?.[1] ?? 200);
  return { facts: { kind: "response", id, code }, fields: { status_code: code } };
}
