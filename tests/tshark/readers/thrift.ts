// SPDX-License-Identifier: Apache-2.0
// Thrift: binary and compact, framed or not.

import { type Node, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const thrift: SharkReader = {
  protocol: "thrift",
  decodeAs: ["thrift"],
  parts: ["thrift"],
  open: () => ({ take: (part, _way, emit) => void emit(message(part)) }),
};

const KINDS = ["", "request", "response", "response", "oneway"];
const EXCEPTION = 3, COMPACT = 0x82;

function message(part: Node): Draft {
  const type = number(part, "thrift.mtype") ?? 0;
  const method = show(part, "thrift.method") ?? "";
  const isCompact = number(part, "thrift.protocol_id") === COMPACT;
  const kind = KINDS[type] ?? "";
  const sequence = number(part, "thrift.seq_id");
  return {
    facts: {
      kind,
      type: method,
      ...(kind !== "response" && { endpoint: method }),
      id: `${sequence ?? ""}`,
    },
    fields: {
      ...(kind !== "response" && {
        method,
        sequence_id: sequence,
        encoding: isCompact ? "compact" : "binary",
      }),
      ...(type === EXCEPTION && {
        error_message: show(part, "thrift.string"),
        exception_type: number(part, "thrift.i32"),
      }),
    },
  };
}
