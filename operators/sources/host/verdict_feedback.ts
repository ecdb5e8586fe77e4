// SPDX-License-Identifier: Apache-2.0
// Carries verdicts back to the kernel, and only those that change something.

import type { Capture } from "../../../ffi/capture.ts";
import type { Connection } from "../../../model/connection.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { Verdict, VerdictFor } from "../../../model/verdict.ts";

export interface VerdictFeedback {
  readonly apply: (verdict: VerdictFor) => void;
  /** The socket is closed; the kernel forgets its verdict by itself. */
  readonly forget: (connection: Connection) => void;
}

export function verdictFeedback(
  kernel: Pick<Capture, "setVerdict" | "bumpGeneration">,
): VerdictFeedback {
  /**
   * By dense index. A verdict that comes after the close of its socket stays until it is oldest.
   */
  const given = new Map<number, Verdict>();
  return {
    apply({ connection, verdict }) {
      const { conn, cookie, observer } = connection;
      const before = given.get(conn);
      if (observer !== "process" || before === verdict) return;
      kernel.setVerdict(cookie, verdict);
      // The kernel asks for a first verdict at each event, for a changed one only when told.
      if (before !== undefined) kernel.bumpGeneration();
      given.set(conn, verdict);
      if (given.size <= LIMITS.connections.value) return;
      for (const oldest of given.keys()) return void given.delete(oldest);
    },
    forget: (connection) => void given.delete(connection.conn),
  };
}
