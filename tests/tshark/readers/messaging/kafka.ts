// SPDX-License-Identifier: Apache-2.0
// Kafka: requests by their header; responses by the request they answer.

import { bytesOf, first, type Node, nodesNamed, number, show } from "../../pdml.ts";
import type { Draft, SharkConnection, SharkReader } from "../../shark_message.ts";

export const kafka: SharkReader = {
  protocol: "kafka",
  decodeAs: ["kafka"],
  parts: ["kafka"],
  open: connection,
};

/** Names of the specification where tshark has others. */
const NAMES: Readonly<Record<string, string>> = { Offsets: "ListOffsets" };

function connection(): SharkConnection {
  return {
    take(part, way, emit) {
      const [, name = ""] = /\((\w+) v\d+ (?:Request|Response)\)/.exec(part.showname) ?? [];
      if (name === "") return;
      const api = NAMES[name] ?? name;
      emit(way === "up" ? request(part, api) : response(part, api));
    },
  };
}

function request(part: Node, api: string): Draft {
  const topics = topicsOf(part);
  const [topic] = topics;
  const group = show(part, "kafka.consumer_group") ?? show(part, "kafka.coordinator_key");
  return {
    facts: {
      ...(number(part, "kafka.required_acks") === 0 ? { kind: "oneway" } : { kind: "request" }),
      type: api,
      ...(topic !== undefined && { resource: topic }),
      id: show(part, "kafka.correlation_id") ?? "",
      ...traceOf(part),
    },
    fields: {
      records: number(part, "kafka.batch_size"),
      api_version: number(part, "kafka.api_version"),
      client_id: show(part, "kafka.client_id"),
      topic,
      group,
      partition: topics.length === 1 ? number(part, "kafka.partition_id") : undefined,
    },
  };
}

/** The worst of the codes is what we tell; tshark lists them all. */
function response(part: Node, api: string): Draft {
  const isBroken = first(part, "_ws.malformed") !== undefined;
  const codes = [...nodesNamed(part, "kafka.error")].map(({ show }) => Number(show));
  const code = codes.find((each) => each !== 0) ?? codes[0];
  const isKnown = code !== undefined && !isBroken;
  return {
    facts: {
      kind: "response",
      type: api,
      id: show(part, "kafka.correlation_id") ?? "",
      ...(isKnown && { code }),
      ...(isKnown && code === 0 && { status: "ok" }),
      ...traceOf(part),
    },
    fields: TOLD_BY_PARTITION.has(api) && !isBroken
      ? { topic: topicsOf(part)[0], partition: onlyPartition(part) }
      : {},
  };
}

/** Of several, ours is the first that has records. */
function onlyPartition(part: Node): number | undefined {
  const [partition, ...others] = [...nodesNamed(part, "kafka.partition_id")];
  return partition === undefined || others.length > 0 ? undefined : Number(partition.show);
}

/** Answers of which ours tells the first partition. */
const TOLD_BY_PARTITION: ReadonlySet<string> = new Set(["Produce", "Fetch", "ListOffsets"]);

/** Trace context in the headers of the first record that has any. */
function traceOf(part: Node) {
  const names = [...nodesNamed(part, "kafka.header_key")];
  const values = [...nodesNamed(part, "kafka.header_value")];
  const at = names.findIndex(({ show }) => show === "traceparent");
  const value = values[at];
  if (value === undefined) return {};
  const [, trace = "", parent = ""] = new TextDecoder().decode(bytesOf(value)).split("-");
  return { trace, parent };
}

function topicsOf(part: Node): string[] {
  const names = [...nodesNamed(part, "kafka.topic_name")].map(({ show }) => show);
  const labels = [...nodesOf(part)].flatMap(({ show }) =>
    /^Topic \(Name=(.*)\)$/.exec(show)?.[1] ?? []
  );
  return names.length > 0 ? names : labels;
}

function* nodesOf(node: Node): Generator<Node> {
  for (const child of node.children) {
    yield child;
    yield* nodesOf(child);
  }
}
