// SPDX-License-Identifier: Apache-2.0
// MongoDB: OP_MSG, OP_QUERY and OP_REPLY.

import { first, type Node, number, show } from "../../pdml.ts";
import type { Draft, SharkReader } from "../../shark_message.ts";

export const mongodb: SharkReader = {
  protocol: "mongodb",
  decodeAs: ["mongo"],
  parts: ["mongo"],
  open: () => ({ take: (part, _way, emit) => void emit(message(part)) }),
};

const OP_REPLY = 1;
const MORE_TO_COME = "mongo.msg.flags.moretocome";

function message(part: Node): Draft {
  const to = number(part, "mongo.response_to") ?? 0;
  const isReply = number(part, "mongo.opcode") === OP_REPLY;
  return to === 0 && !isReply ? request(part) : response(part, to);
}

function request(part: Node): Draft {
  const elements = topElements(part);
  const [command] = elements;
  const named = show(part, "mongo.database_name");
  const database = valueOf(elements, "$db") ?? (named === "" ? undefined : named);
  const collection = command === undefined ? undefined : textOf(command);
  const isSilent = number(part, MORE_TO_COME) === 1;
  return {
    facts: {
      kind: isSilent ? "oneway" : "request",
      ...(command !== undefined && { type: command.show }),
      ...(database !== undefined && { domain: database }),
      id: `${number(part, "mongo.request_id") ?? ""}`,
    },
    fields: { database, collection },
  };
}

function response(part: Node, to: number): Draft {
  const elements = topElements(part);
  const ok = elements.find(({ show }) => show === "ok");
  const isOk = ok === undefined ? undefined : numberOf(ok) !== 0;
  const code = elements.find(({ show }) => show === "code");
  const text = valueOf(elements, "errmsg");
  return {
    facts: {
      kind: "response",
      id: `${to}`,
      ...(code !== undefined && { code: numberOf(code) }),
      ...(isOk === true && elements.every(({ show }) => show !== "writeErrors") && {
        status: "ok",
      }),
    },
    fields: { error_message: text },
  };
}

/** Elements of the body document, not those of documents within. */
function topElements(part: Node): readonly Node[] {
  const elements = first(part, "mongo.elements");
  return elements?.children.filter(({ name }) => name === "mongo.element.name") ?? [];
}

function valueOf(elements: readonly Node[], name: string): string | undefined {
  const element = elements.find(({ show }) => show === name);
  return element === undefined ? undefined : textOf(element);
}

const textOf = (element: Node) =>
  element.children.find(({ name }) => name === "mongo.element.value.string")?.show;

function numberOf(element: Node): number {
  const value = element.children.find(({ name }) => name.startsWith("mongo.element.value"));
  return Number(value?.show ?? NaN);
}
