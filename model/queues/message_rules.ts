// SPDX-License-Identifier: Apache-2.0
// Which publication a delivered message comes from, by its id or its content: what is told of two
// spans alone. While spans stream by, brokers are followed more closely: operators/link/queues/.
//
// A message may wait for long and may be delivered to many, so times say little. Several equal
// publications make it uncertain which one was meant.

import type { Key, ParentRule } from "../links/parent_rule.ts";
import type { Span } from "../span.ts";
import { isDelivered, publishedKey } from "./envelope.ts";

/** Inside of a broker that is traced: what it sends out was handed to it before. */
const deliveryFromPublication: ParentRule = {
  name: "delivery_from_publication",
  evidence: "message",
  because: "the broker had been handed the same message, by its id or its content",
  childKey: (span) => isSent(span) ? keyOfDelivery(span) : null,
  parentKey: (span) => isSent(span) ? null : keyOfPublication(span),
  fits: (child, parent) =>
    isSameProgram(child, parent) && isBefore(parent, child) ? knownMessage : 0,
  of: "only",
};

/** Across a broker that is not traced, or not here. */
const consumerFromProducer: ParentRule = {
  name: "consumer_from_producer",
  evidence: "message",
  because: "it is the same message, by its id or its content, that was published",
  childKey: (span) => isSent(span) ? null : keyOfDelivery(span),
  parentKey: (span) => isSent(span) ? keyOfPublication(span) : null,
  fits: (child, parent) =>
    child.protocol === parent.protocol && isBefore(parent, child) ? knownMessage : 0,
  of: "only",
};

export const MESSAGE_RULES: readonly ParentRule[] = [deliveryFromPublication, consumerFromProducer];

/** Ids and contents that occur once are hardly another message's. */
const knownMessage = 0.98;

/** Clocks of hosts differ. */
const marginNs = 1_000_000_000n;

const isSent = ({ kind }: Span): boolean => kind === "producer" || kind === "client";

/** Of deliveries whose way to here is not known otherwise. */
function keyOfDelivery({ message_key, parent_span_id, observer }: Span): Key | null {
  if (message_key === null || parent_span_id !== null || observer !== "process") return null;
  const key = BigInt(message_key);
  return isDelivered(key) ? publishedKey(key) : null;
}

function keyOfPublication({ message_key, observer }: Span): Key | null {
  if (message_key === null || observer !== "process") return null;
  const key = BigInt(message_key);
  return isDelivered(key) ? null : key;
}

const isSameProgram = (a: Span, b: Span): boolean => a.pid === b.pid && a.host === b.host;

const isBefore = (parent: Span, child: Span): boolean =>
  parent.start_unix_ns <= child.start_unix_ns + marginNs;
