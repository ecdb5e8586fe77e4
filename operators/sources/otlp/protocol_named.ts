// SPDX-License-Identifier: Apache-2.0
// The protocol that the attributes of an application's span tell of; "" where they tell of none.

import type { Attributes } from "../../../model/message.ts";

export function protocolNamed(attributes: Attributes): string {
  const named = attributes["db.system.name"] ?? attributes["db.system"] ??
    attributes["messaging.system"] ?? attributes["rpc.system.name"] ?? attributes["rpc.system"];
  if (typeof named === "string" && named !== "") return named.toLowerCase().slice(0, LENGTH_MAX);
  const isHttp = "http.request.method" in attributes || "http.method" in attributes;
  return isHttp ? "http" : "";
}

/** Of a name; it is a label of few values. */
const LENGTH_MAX = 64;
