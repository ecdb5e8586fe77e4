// SPDX-License-Identifier: Apache-2.0
// AMQP 1.0: a frame is a message, but for flow control; a delivery of several frames is one.

import { first, type Node, number, show } from "../../pdml.ts";
import type { Draft, SharkReader, Way } from "../../shark_message.ts";

export const amqp1: SharkReader = {
  protocol: "amqp1",
  decodeAs: ["amqp"],
  parts: ["amqp"],
  open: () => {
    const unfinished = new Set<Way>();
    return {
      take(part, way, emit) {
        const type = typeOf(part);
        if (type === undefined) return;
        const more = number(part, `${ARGUMENT}more`) === 1;
        const isRest = type === "TRANSFER" && unfinished.has(way);
        if (type === "TRANSFER" && more) unfinished.add(way);
        else if (type === "TRANSFER") unfinished.delete(way);
        if (!isRest) emit(draftOf(part, type));
      },
    };
  },
};

const ARGUMENT = "amqp.performative.arguments.";
const PERFORMATIVES: Readonly<Record<number, string>> = {
  16: "OPEN",
  17: "BEGIN",
  18: "ATTACH",
  20: "TRANSFER",
  21: "DISPOSITION",
  22: "DETACH",
  23: "END",
  24: "CLOSE",
};
const SASL: Readonly<Record<number, string>> = {
  64: "SASL_MECHANISMS",
  65: "SASL_INIT",
  66: "SASL_CHALLENGE",
  67: "SASL_RESPONSE",
  68: "SASL_OUTCOME",
};
const LAYERS: Readonly<Record<number, string>> = { 0: "amqp", 2: "tls", 3: "sasl" };
const OUTCOMES = ["accepted", "rejected", "released", "modified"];

function typeOf(part: Node): string | undefined {
  if (first(part, "amqp.init.protocol") !== undefined) return "PREFACE";
  const sasl = number(part, "amqp.sasl.method");
  return sasl === undefined ? PERFORMATIVES[number(part, "amqp.performative") ?? -1] : SASL[sasl];
}

function draftOf(part: Node, type: string): Draft {
  const layer = number(part, "amqp.init.id");
  const role = type === "ATTACH" ? number(part, `${ARGUMENT}role`) : undefined;
  const code = number(part, "amqp.sasl.saslCode");
  const outcome = OUTCOMES.find((name) => first(part, `amqp.delivery-state.${name}`));
  const message = (name: string) => show(part, `amqp.message.${name}`);
  return {
    facts: { type, ...(code !== undefined && { code }) },
    fields: {
      layer: layer === undefined ? undefined : LAYERS[layer],
      container: show(part, `${ARGUMENT}containerId`),
      link: type === "ATTACH" ? show(part, `${ARGUMENT}name`) : undefined,
      role: role === undefined ? undefined : role === 0 ? "sender" : "receiver",
      delivery_id: number(part, `${ARGUMENT}deliveryId`) ?? number(part, `${ARGUMENT}first`),
      outcome,
      message_id: message("messageId.string"),
      correlation_id: message("correlationId.string"),
      subject: message("subject"),
    },
  };
}
