// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { CliContext } from "../../cli/context.ts";
import { exportPackets } from "./export_packets.ts";

const context: CliContext = {
  process: { stdout: { write() {}, writeBytes() {} }, stderr: { write() {} } },
  afterDashes: null,
  propose: () => Promise.resolve([]),
};

const refused = (flags: { db?: string; replay?: string }, sentence: RegExp) =>
  assert.rejects(exportPackets(context, { format: "pcapng", ...flags }), sentence);

Deno.test("spans hold no bytes: a database is refused, with the remedy", async () => {
  await refused(
    { db: "spans.duckdb" },
    /^Refusal: Cannot export pcapng from spans.duckdb: .*record/,
  );
  await refused({}, /^Refusal: Cannot export pcapng: .*--replay FILE$/);
});

Deno.test("standard input cannot be read twice; what is no recording is told so", async () => {
  await refused(
    { replay: "-" },
    /^Refusal: Cannot export standard input as pcapng: .*name a file$/,
  );
  const path = new URL(import.meta.url).pathname;
  await refused({ replay: path }, /^Refusal: Cannot .*: it is not a recording/);
});
