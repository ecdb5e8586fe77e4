// SPDX-License-Identifier: Apache-2.0
// What a span asked for, in few words.

import type { Span } from "../../model/span.ts";

/** "GET /orders/7": what was asked, in the protocol's words. */
export function requestText(
  { request_type, resource, endpoint, name, protocol }: Span,
): string {
  const what = resource || endpoint;
  if (what === "") return name || request_type || protocol;
  const repeats = request_type === "" || what.toUpperCase().startsWith(request_type.toUpperCase());
  return repeats ? what : `${request_type} ${what}`;
}
