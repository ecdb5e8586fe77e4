// SPDX-License-Identifier: Apache-2.0
// Redis: each element at the top is a command or a reply.

import { bytesOf, type Node, nodesNamed } from "../../pdml.ts";
import type { SharkReader } from "../../shark_message.ts";

export const redis: SharkReader = {
  protocol: "redis",
  decodeAs: ["resp"],
  parts: ["resp"],
  open: () => ({
    take(part, way, emit) {
      for (const element of part.children) {
        if (way === "up") emit(command(element));
        else if (REPLIES[element.name] !== undefined) emit(reply(element));
      }
    },
  }),
};

const REPLIES: Readonly<Record<string, string>> = {
  "resp.string": "simple_string",
  "resp.error": "error",
  "resp.integer": "integer",
  "resp.bulk_string": "bulk_string",
  "resp.array": "array",
};

/** Commands that are followed by another word of the command. */
const CONTAINERS =
  /^(ACL|CLIENT|CLUSTER|COMMAND|CONFIG|FUNCTION|LATENCY|MEMORY|MODULE|OBJECT|PUBSUB|SCRIPT|SLOWLOG|XGROUP|XINFO)$/;

function command(element: Node) {
  const words = [...nodesNamed(element, "resp.bulk_string.value")].map((node) =>
    new TextDecoder().decode(bytesOf(node))
  );
  const [verb = "", second = ""] = words;
  const isContainer = CONTAINERS.test(verb.toUpperCase());
  const name = isContainer ? `${verb} ${second}` : verb;
  return {
    facts: {
      kind: "request",
      ...(!isContainer && { type: name.toUpperCase() }),
      resource: words.join(" "),
      endpoint: name.toUpperCase(),
    },
    fields: { command: name.toUpperCase(), arguments: words.length - 1 },
  };
}

function reply(element: Node) {
  const error = element.name === "resp.error" ? element.show : undefined;
  return {
    facts: { kind: "response", ...(error === undefined && { status: "ok" }) },
    fields: {
      reply_type: REPLIES[element.name],
      error,
      error_prefix: error?.split(" ")[0],
    },
  };
}
