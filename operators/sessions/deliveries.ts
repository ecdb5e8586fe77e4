// SPDX-License-Identifier: Apache-2.0
// Messages of a broker that a response delivers: each is told as a one-way message of its own, so
// that those who ask for messages and those who are sent them look alike.

import type { Exchange } from "../../model/exchange.ts";
import type { Message, MessageSeen } from "../../model/message.ts";

const none: readonly MessageSeen[] = [];

/** What is not told of a delivered message is that of the request for it. */
function named(message: Message, asked: Message | undefined): Message {
  if (asked === undefined || message.resource !== "") return message;
  const { resource, domain } = asked;
  return { ...message, resource, domain, fields: { ...asked.fields, ...message.fields } };
}

function pulled(message: Message): Message {
  const { envelope } = message;
  return envelope ? { ...message, envelope: { ...envelope, isPulled: true } } : message;
}

/** They lie somewhere in the response, in order; which byte each begins with is not told. */
export function deliveriesOf({ request, response, endNs }: Exchange): readonly MessageSeen[] {
  const delivered = response?.message.deliveries;
  if (response === null || delivered === undefined || delivered.length === 0) return none;
  // Readers that pair by order tell by its looks alone that a response may deliver.
  if (request !== null && request.message.envelope?.role !== "receive") return none;
  return delivered.map((message, index) => ({
    ...response,
    message: pulled(named(message, request?.message)),
    startNs: response.startNs,
    emitNs: endNs,
    offset: response.offset + 1 + index,
    seq: response.seq === -1 ? -1 : (response.seq + 1 + index) >>> 0,
    bytes: 0,
  }));
}
