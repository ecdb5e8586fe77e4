// SPDX-License-Identifier: Apache-2.0
// After a loss: does a message begin with this run? The connection is known to speak the protocol,
// so more is believed than its probe would of a stranger's bytes.

import type { ByteRun } from "../../model/byte_run.ts";
import { Cursor } from "../wire/cursor.ts";
import { createMake } from "../wire/make.ts";
import type { Way } from "../wire/protocol.ts";
import type { AnyProtocol } from "../wire/registry.ts";
import { readStep } from "./read_step.ts";

const STEPS_MAX = 256;
/** Steps in a row that may consume nothing. */
const IDLE_MAX = 8;

/** `doubtful`: the place was lost against the reader's will. */
export function mayBegin(
  run: ByteRun,
  protocol: AnyProtocol,
  way: Way,
  doubtful: boolean,
): boolean {
  const { bytes, length } = run;
  if (doubtful) return protocol.probe(bytes, length).kind !== "no" || addsUp(run, protocol, way);
  const first = bytes[0];
  return first === undefined || protocol.starts[first] === 1 || !protocol.starts.includes(1);
}

/** Read from scratch, its messages end where the run does. */
export function addsUp(
  { bytes, length, connection }: ByteRun,
  protocol: AnyProtocol,
  way: Way,
): boolean {
  const state = protocol.open(connection.transport);
  const cursor = new Cursor();
  const make = createMake();
  let position = 0;
  let idle = 0;
  for (let steps = 0; position < length && steps < STEPS_MAX && idle < IDLE_MAX; steps++) {
    cursor.reset(bytes, position, bytes.length, length);
    const step = readStep(protocol, cursor, way, make, state);
    if (typeof step === "number" || step.kind === "lost" || step.kind === "switch") return false;
    const passed = cursor.position + (step.kind === "skip" ? step.bytes : 0);
    idle = passed > 0 ? 0 : idle + 1;
    position += passed;
  }
  return length > 0 && position === length;
}
