// SPDX-License-Identifier: Apache-2.0

import { equal, match } from "node:assert/strict";
import { isFatal, plainReason } from "./problems.ts";

Deno.test("problems: what the system and the engine say, in plain words", () => {
  const engine = (message: string) =>
    new Error(
      `Opening the database failed with error: ${
        JSON.stringify({ exception_type: "IO", exception_message: message })
      }`,
    );
  const cases: [unknown, RegExp][] = [
    [new Error("Failed to commit: No space left (os error 28)"), /^the disk is full$/],
    [new Error("Read-only file system (os error 30)"), /^its file system is read-only$/],
    [new Deno.errors.PermissionDenied("os error 13"), /^permission denied$/],
    [engine("Corrupt database file: computed checksum 1"), /^the file is damaged; move it away/],
    [engine('Failure while replaying WAL file "x.wal": Corrupt WAL file'), /^its log \(\.wal\) is/],
    ["Binder Error: no such column", /^Binder Error: no such column$/],
  ];
  for (const [error, reason] of cases) match(plainReason(error), reason);
});

Deno.test("problems: fatal is what leaves the engine useless", () => {
  equal(isFatal(new Error("FATAL Error: Failed to create checkpoint")), true);
  equal(isFatal(new Error("the database has been invalidated because of")), true);
  equal(isFatal(new WebAssembly.RuntimeError("unreachable")), true);
  equal(isFatal(new Error("INTERNAL Error: of one query, the next ones run")), false);
  equal(isFatal(new Error("TransactionContext Error: Failed to commit")), false);
});
