// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 and 5.

import { bytesOf, first, type Node, nodesNamed, number, show } from "../../pdml.ts";
import type { Draft, SharkReader } from "../../shark_message.ts";

export const mqtt: SharkReader = {
  protocol: "mqtt",
  decodeAs: ["mqtt"],
  parts: ["mqtt"],
  open: () => ({ take: (part, _way, emit) => void emit(packet(part)) }),
};

/** By packet type. */
const TYPES = [
  "",
  "CONNECT",
  "CONNACK",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "SUBACK",
  "UNSUBSCRIBE",
  "UNSUBACK",
  "PINGREQ",
  "PINGRESP",
  "DISCONNECT",
  "AUTH",
];
const VERSIONS: Readonly<Record<string, string>> = { 3: "3.1", 4: "3.1.1", 5: "5" };
const REASONS = [
  "mqtt.conack.val",
  "mqtt.connack.reason_code",
  "mqtt.suback.qos",
  "mqtt.suback.reason_code",
  "mqtt.puback.reason_code",
  "mqtt.pubrec.reason_code",
  "mqtt.pubcomp.reason_code",
];

function packet(part: Node): Draft {
  const type = TYPES[number(part, "mqtt.msgtype") ?? 0] ?? "";
  const topics = [...nodesNamed(part, "mqtt.topic")].map((node) => node.show).join(",");
  const isConnect = type === "CONNECT";
  const resource = isConnect ? show(part, "mqtt.clientid") : topics;
  const body = first(part, "mqtt.msg");
  const code = REASONS.map((name) => number(part, name)).find((value) => value !== undefined);
  const isPublish = type === "PUBLISH";
  return {
    facts: {
      type,
      ...(resource !== undefined && resource !== "" && { resource }),
      ...(!isConnect && topics !== "" && { domain: topics }),
      ...(code !== undefined && { code }),
    },
    fields: {
      topic: topics === "" ? undefined : topics,
      client_id: show(part, "mqtt.clientid"),
      user: show(part, "mqtt.username"),
      version: isConnect ? VERSIONS[show(part, "mqtt.ver") ?? ""] : undefined,
      qos: isPublish ? number(part, "mqtt.qos") : undefined,
      retain: isPublish && number(part, "mqtt.retain") === 1 ? true : undefined,
      packet_id: number(part, "mqtt.msgid"),
      body_size: isPublish ? body === undefined ? 0 : bytesOf(body).length : undefined,
    },
  };
}
