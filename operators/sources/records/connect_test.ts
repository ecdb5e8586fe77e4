// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { CaptureRecord } from "../../../model/capture_record.ts";
import { recordDecoder } from "../record_decoder.ts";
import { connectRecord } from "./event_fixture.ts";

Deno.test("record decoder: a thread that connects says where to, and in which turn", () => {
  const records: CaptureRecord[] = [];
  const decoder = recordDecoder({ emit: (record) => void records.push(record), drop: assert.fail });
  const bytes = connectRecord({ cookie: 77n, peerPort: 6379, turn: 9, tid: 101, emitNs: 5n });
  decoder.decode(bytes, new DataView(bytes.buffer), 0, bytes.length);
  const fact = records.at(-1);
  assert.ok(fact?.kind === "connect");
  const { cookie, turn, tid, emitNs, peer } = fact;
  assert.deepEqual({ cookie, turn, tid, emitNs, peer }, {
    ...{ cookie: 77n, turn: 9, tid: 101, emitNs: 5n },
    peer: { ip: "127.0.0.1", port: 6379 },
  });
});
