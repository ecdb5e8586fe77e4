// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { coroutineEventAt, coroutineTask } from "../../../bpf/event.gen.ts";
import type { CaptureRecord } from "../../../model/capture_record.ts";
import { recordDecoder } from "../record_decoder.ts";
import { coroutineRecord, dataRecord } from "./event_fixture.ts";
import { encodeHostFact } from "./host_fact.ts";

const S = 1_000_000_000n;

function decoded(...raw: Uint8Array<ArrayBuffer>[]): CaptureRecord[] {
  const records: CaptureRecord[] = [];
  const decoder = recordDecoder({ emit: (record) => void records.push(record), drop: assert.fail });
  for (const bytes of raw) decoder.decode(bytes, new DataView(bytes.buffer), 0, bytes.length);
  return records;
}

Deno.test("record decoder: a unix socket whose peer only stopped writing is answered late", () => {
  const unix = { transport: "unix", payload: "x", cookie: 7n, peerCookie: 8n } as const;
  const records = decoded(
    dataRecord({ ...unix, emitNs: 1n * S }),
    dataRecord({ ...unix, payload: "", flags: ["eof"], emitNs: 2n * S }),
    encodeHostFact({ fact: "clock", bootNs: "4", realNs: "5" }, 60n * S),
    dataRecord({ ...unix, direction: "egress", emitNs: 61n * S }),
  );
  const conns = records.flatMap((each) => each.kind === "data" ? [each.connection.conn] : []);
  assert.deepEqual(conns, [0, 0, 0]);
});

Deno.test("record decoder: a coroutine's number has 48 bits, and no turn stands beside it", () => {
  const [, event] = decoded(dataRecord({ payload: "x", turn: 9, coroutine: 0xfedc_8765_4321n }));
  assert.ok(event?.kind === "data");
  assert.equal(event.coroutine, 0xfedc_8765_4321n);
  assert.equal(event.turn, 0);
});

Deno.test("record decoder: who started a coroutine, as far as it is known", () => {
  const [, fact] = decoded(coroutineRecord({ line: [[7n, 3n * S], [5n, 2n * S], [1n, 0n]] }));
  assert.ok(fact?.kind === "coroutine");
  assert.deepEqual(fact.line, [
    { coroutine: 7n, bornNs: 3n * S },
    { coroutine: 5n, bornNs: 2n * S },
    { coroutine: 1n, bornNs: 0n },
  ]);
});

Deno.test("record decoder: what a coroutine does for a connection, which older ones lack", () => {
  const bytes = coroutineRecord({ line: [[7n, 3n * S]] });
  const view = new DataView(bytes.buffer);
  view.setBigUint64(coroutineEventAt.object, 0xc000_0000_1000n, true);
  view.setUint32(coroutineEventAt.stream, 5, true);
  view.setUint32(coroutineEventAt.task, coroutineTask.handles, true);
  const [, fact] = decoded(bytes);
  assert.ok(fact?.kind === "coroutine");
  assert.deepEqual(fact.task, { what: "handles", object: 0xc000_0000_1000n, stream: 5 });

  const older = bytes.slice(0, coroutineEventAt.object);
  new DataView(older.buffer).setUint32(coroutineEventAt.size, older.length, true);
  const [, before] = decoded(older);
  assert.ok(before?.kind === "coroutine");
  assert.deepEqual([before.line.length, before.task], [1, undefined]);
});
