// SPDX-License-Identifier: Apache-2.0
// AMQP 0-9-1: a method, completed by the content header and body that follow it.

import { first, type Node, number, show } from "../../pdml.ts";
import type {
  Draft,
  SharkConnection,
  SharkMessage,
  SharkReader,
  Way,
} from "../../shark_message.ts";

export const amqp: SharkReader = {
  protocol: "amqp",
  decodeAs: ["amqp"],
  parts: ["amqp"],
  open: connection,
};

const OK = 200;
const ARGUMENT = "amqp.method.arguments.", PROPERTY = "amqp.method.properties.";

function connection(): SharkConnection {
  const contents = new Map<string, SharkMessage>();
  return {
    take(part, way, emit) {
      if (first(part, "amqp.init.protocol") !== undefined) {
        emit({ facts: { kind: "oneway", type: "ProtocolHeader" } });
        return;
      }
      const key = `${way} ${show(part, "amqp.channel") ?? ""}`;
      if (first(part, "amqp.method.method") !== undefined) {
        contents.set(key, emit(method(part, way)));
      } else header(part, contents.get(key));
    },
  };
}

function method(part: Node, _way: Way): Draft {
  const of = (name: string) => {
    const [, label = ""] = /: (\S+) \(/.exec(first(part, name)?.showname ?? "") ?? [];
    return label.replaceAll("-", "");
  };
  const argument = (name: string) => {
    const value = show(part, ARGUMENT + name);
    return value === "" ? undefined : value;
  };
  const code = number(part, `${ARGUMENT}reply_code`);
  const channel = number(part, "amqp.channel") ?? 0;
  return {
    facts: { type: `${of("amqp.method.class")}.${of("amqp.method.method")}` },
    fields: {
      exchange: argument("exchange"),
      routing_key: argument("routing_key"),
      queue: argument("queue"),
      consumer_tag: argument("consumer_tag"),
      mechanism: argument("mechanism"),
      channel: channel === 0 ? undefined : channel,
      delivery_tag: number(part, `${ARGUMENT}delivery_tag`),
      reply_code: code,
      error_message: code === OK ? undefined : argument("reply_text"),
    },
  };
}

function header(part: Node, message: SharkMessage | undefined): void {
  if (message === undefined) return;
  const size = number(part, "amqp.header.body-size");
  if (size !== undefined) message.fields["body_size"] = size;
  for (const name of ["message_id", "correlation_id", "reply_to"]) {
    const value = show(part, PROPERTY + name);
    if (value !== undefined && value !== "") message.fields[name] = value;
  }
  const trace = /traceparent \(\w+\): [0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})/;
  for (const line of labelsOf(part)) {
    const [, traceId, parent] = trace.exec(line) ?? [];
    if (traceId === undefined || parent === undefined) continue;
    message.facts.trace = traceId;
    message.facts.parent = parent;
  }
}

function* labelsOf(node: Node): Generator<string> {
  for (const child of node.children) {
    yield child.showname;
    yield* labelsOf(child);
  }
}
