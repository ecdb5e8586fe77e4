// SPDX-License-Identifier: Apache-2.0
// Options that limit what is captured, the same for every command that captures.

import { parseDuration } from "./duration.ts";
import { parsePayloadBytes, parsePid, parsePort } from "./numbers.ts";

export interface CaptureFlags {
  /** Milliseconds; until interrupted when absent. */
  readonly duration?: number;
  readonly pid?: readonly number[];
  readonly comm?: string;
  readonly port?: readonly number[];
  readonly payloadBytes?: number;
  readonly turns?: boolean;
  readonly probes?: boolean;
  readonly nodeContext?: boolean;
}

export const captureFlags = {
  duration: {
    kind: "parsed",
    parse: parseDuration,
    brief: "Stop after this time, as 30s or 5m (default: at Ctrl-C)",
    placeholder: "time",
    optional: true,
  },
  pid: {
    kind: "parsed",
    parse: parsePid,
    brief: "Capture these processes and their descendants only",
    placeholder: "pid",
    variadic: ",",
    optional: true,
  },
  comm: {
    kind: "parsed",
    parse: parseComm,
    brief: "Capture processes of this name only",
    placeholder: "name",
    optional: true,
  },
  port: {
    kind: "parsed",
    parse: parsePort,
    brief: "Capture sockets with this port at either end only",
    placeholder: "port",
    variadic: ",",
    optional: true,
  },
  payloadBytes: {
    kind: "parsed",
    parse: parsePayloadBytes,
    brief: "Bytes copied of the first call in a direction (default: 1024, at most 16384)",
    placeholder: "bytes",
    optional: true,
  },
  turns: {
    kind: "boolean",
    brief: "Tell turns of event loops apart; off: all system calls are 30 to 55 ns cheaper, " +
      "and requests on event loops are harder to tell apart (default: on)",
    optional: true,
  },
  probes: {
    kind: "boolean",
    brief:
      "Set breakpoints in programs of Go and uvloop, which tell who hands a request to whom; " +
      "off: their memory is still read (default: on)",
    optional: true,
  },
  nodeContext: {
    kind: "boolean",
    brief: "Have Node programs say for which request they call, by a script that their debugger " +
      "runs in them; this changes them: see docs/node.md (default: off)",
    optional: true,
  },
} as const;

/** The kernel keeps 15 bytes of a process name. */
function parseComm(text: string): string {
  if (text === "") throw new Error("write the name of a process, as nginx");
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, 15));
}
