// SPDX-License-Identifier: Apache-2.0
// What two decoders can be compared by: the facts of one message. A fact that is absent is not
// stated, and not compared.

import type { DecodeLine } from "../../app/decode/decode_line.ts";

export interface Facts {
  readonly kind?: string;
  readonly type?: string;
  readonly resource?: string;
  readonly domain?: string;
  readonly endpoint?: string;
  readonly code?: number;
  readonly status?: string;
  readonly id?: string;
  readonly trace?: string;
  readonly parent?: string;
  readonly xRequestId?: string;
}

export type FactName = keyof Facts;

export const FACT_NAMES = [
  "kind",
  "type",
  "resource",
  "domain",
  "endpoint",
  "code",
  "status",
  "id",
  "trace",
  "parent",
  "xRequestId",
] as const satisfies readonly FactName[];

/** The facts of a line that `decode` prints. */
export function factsOfLine(line: DecodeLine): Facts {
  return {
    kind: line.message,
    type: line.request_type,
    resource: line.resource,
    domain: line.domain,
    endpoint: line.endpoint,
    ...(line.response_code !== null && { code: line.response_code }),
    status: line.status,
    ...(line.request_id !== null && { id: line.request_id }),
    ...(line.trace_id !== null && { trace: line.trace_id }),
    ...(line.parent_span_id !== null && { parent: line.parent_span_id }),
    ...(line.x_request_id !== null && { xRequestId: line.x_request_id }),
  };
}

/** Names of facts that `expected` states and `ours` does not have so. */
export function disagreements(expected: Facts, ours: Facts): FactName[] {
  return FACT_NAMES.filter((name) => {
    const value = expected[name];
    return value !== undefined && plain(name, value) !== plain(name, ours[name]);
  });
}

/** Letters of either case, and signs that join words, make no difference in types. */
function plain(name: FactName, value: string | number | undefined): string | number | undefined {
  return name === "type" && typeof value === "string"
    ? value.toLowerCase().replaceAll(/[\s_-]/g, "")
    : value;
}
