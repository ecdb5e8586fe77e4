// SPDX-License-Identifier: Apache-2.0
// memcached, text and binary.

import { type Node, nodesNamed, number, show, text } from "../../pdml.ts";
import type { Draft, SharkConnection, SharkMessage, SharkReader } from "../../shark_message.ts";

export const memcached: SharkReader = {
  protocol: "memcached",
  decodeAs: ["memcache"],
  parts: ["memcache"],
  open: connection,
};

function connection(): SharkConnection {
  return {
    take(part, way, emit) {
      if (number(part, "memcache.magic") !== undefined) emit(binary(part));
      else if (way === "up") command(part, emit);
      else emit(textReply(part));
    },
  };
}

/** Names of the specification where tshark has others. */
const NAMES: Readonly<Record<string, string>> = { Statistics: "STAT" };

/** Status 1 to 7 tell that the client asked for what cannot be; 1 is a miss. */
function binary(part: Node): Draft {
  const isRequest = number(part, "memcache.magic") === 0x80;
  const [, name = ""] = /, (.+?) (?:Request|Response)$/.exec(part.showname) ?? [];
  const status = number(part, "memcache.status");
  const key = text(part, "memcache.key");
  return {
    facts: {
      kind: isRequest ? "request" : "response",
      type: NAMES[name] ?? name,
      id: show(part, "memcache.opaque") ?? "",
      ...(status !== undefined && { code: status }),
      ...(status === 0 && { status: "ok" }),
    },
    fields: { key: isRequest ? key : undefined },
  };
}

function command(part: Node, emit: (draft: Draft) => SharkMessage): void {
  const type = show(part, "memcache.command");
  if (type === undefined) return;
  const keys = [...nodesNamed(part, "memcache.key")].map((node) => node.show);
  const kind = type === "quit" ? "oneway" : "request";
  const key = keys.length > 0 ? keys.join(" ") : undefined;
  emit({ facts: { kind, type, endpoint: type }, fields: { key } });
}

function textReply(part: Node): Draft {
  const word = show(part, "memcache.response");
  const hits = [...nodesNamed(part, "memcache.key")].length;
  const result = word ?? (hits > 0 ? "END" : undefined);
  return {
    facts: { kind: "response" },
    fields: { result, hits: hits > 0 ? hits : undefined },
  };
}
