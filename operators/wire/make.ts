// SPDX-License-Identifier: Apache-2.0
// Builds messages from what readers found. Every message has the same properties in the same
// order, so that the code behind sees one shape of object.

import { LIMITS } from "../../model/limits.ts";
import type { Attributes, Message } from "../../model/message.ts";
import type { Status } from "../../model/status.ts";
import type { Draft, Fields, Make, Step } from "./protocol.ts";

/**
 * Texts longer than the limit are cut. The returned step is the same object each time: it is
 * valid until the next call.
 */
export function createMake(): Make<Fields> {
  const step: { kind: "message"; message: Message; whole: boolean } = {
    kind: "message",
    message: EMPTY,
    whole: false,
  };
  const take = (message: Message, draft: Draft<Fields>): Step => {
    step.message = message;
    step.whole = draft.whole === true;
    return step;
  };
  return {
    request: (draft) => take(build("request", draft, "unknown"), draft),
    response: (draft) => take(build("response", draft, "ok"), draft),
    oneway: (draft) => take(build("oneway", draft, "ok"), draft),
  };
}

export const NO_FIELDS: Attributes = Object.freeze({});

const textMax = LIMITS.textBytes.value;

function build(kind: Message["kind"], draft: Draft<Fields>, status: Status): Message {
  return {
    kind,
    type: cut(draft.type),
    resource: cut(draft.resource),
    domain: cut(draft.domain),
    endpoint: cut(draft.endpoint),
    code: draft.code ?? null,
    status: draft.status ?? status,
    id: draft.id ?? null,
    identity: draft.identity ?? null,
    fields: draft.fields === undefined ? NO_FIELDS : cutFields(draft.fields as Attributes),
    more: draft.more === true,
    clipped: draft.clipped === true,
    envelope: draft.envelope ?? null,
    deliveries: draft.deliveries === undefined ? none : draft.deliveries.map(delivery),
  };
}

const delivery = (draft: Draft<Fields>): Message => build("oneway", draft, "ok");

const none: readonly Message[] = [];

function cut(text: string | undefined): string {
  if (text === undefined) return "";
  return text.length <= textMax ? text : text.slice(0, textMax);
}

function cutFields(fields: Attributes): Attributes {
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string" && value.length > textMax) return cutAll(fields);
  }
  return fields;
}

function cutAll(fields: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? cut(value) : value,
    ]),
  );
}

const EMPTY: Message = {
  kind: "oneway",
  type: "",
  resource: "",
  domain: "",
  endpoint: "",
  code: null,
  status: "ok",
  id: null,
  identity: null,
  fields: NO_FIELDS,
  more: false,
  clipped: false,
  envelope: null,
  deliveries: none,
};
