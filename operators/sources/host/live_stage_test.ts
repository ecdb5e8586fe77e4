// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { CaptureRecord } from "../../../model/capture_record.ts";
import { dataRecord } from "../records/event_fixture.ts";
import { liveStage } from "./live_stage.ts";
import type { LiveHost } from "./live_stream.ts";

const MS = 1_000_000n;
const NO_DROPS = {
  ring_full: 0n,
  kernel_storage: 0n,
  recursion_miss: 0n,
  enter_without_exit: 0n,
  mmsg: 0n,
  payload_unreadable: 0n,
  budget_spent: 0n,
  ring_pressure: 0n,
};

/** A host whose ring and clocks the test moves: boot time and the monotonic clock run alike. */
function fakeHost() {
  const ring: bigint[] = [];
  const state = { nowMs: 1000, drops: NO_DROPS };
  const bytes = new Uint8Array(4096);
  const host: LiveHost = {
    capture: {
      processes: [],
      drain(onRecord, max = Number.POSITIVE_INFINITY) {
        let count = 0;
        while (count < max && ring.length > 0) {
          const record = dataRecord({ emitNs: ring.shift() ?? 0n, payload: "x" });
          bytes.set(record);
          onRecord(new DataView(bytes.buffer), 0, record.length, bytes);
          count++;
        }
        return count;
      },
      pause: () => Promise.resolve(),
      wait: () => new Promise(() => {}),
      drops: () => state.drops,
    },
    files: { text: () => undefined, bytes: () => undefined, link: () => undefined },
    clock: {
      bootNs: () => BigInt(state.nowMs) * MS,
      read: () => {
        const bootNs = BigInt(state.nowMs) * MS;
        return { bootNs, realNs: bootNs + 5n, uncertaintyNs: 1n };
      },
    },
    nowMs: () => state.nowMs,
  };
  return { host, ring, state };
}

function opened() {
  const { host, ring, state } = fakeHost();
  const records: CaptureRecord[] = [];
  const drops: Record<string, number> = {};
  const stage = liveStage(host, undefined, {
    emit: (record) => void records.push(record),
    side() {},
    drop: (reason, n = 1) => drops[reason] = (drops[reason] ?? 0) + n,
    advance() {},
  });
  /** Kinds and times in ms of what was emitted since the last call, first meetings left out. */
  const news = () =>
    records.splice(0).filter(({ kind }) => kind !== "process")
      .map(({ kind, emitNs }) => `${kind} ${emitNs / MS}`);
  return { stage, ring, state, news, drops };
}

Deno.test("live stage: starts with a reading of the clocks, then one each second", () => {
  const { stage, state, news } = opened();
  assert.deepEqual(news(), ["clock 1000"]);
  stage.pull(10);
  assert.deepEqual(news(), []);
  state.nowMs = 5000; // idle for long: no heartbeats
  stage.pull(10);
  state.nowMs = 5900;
  stage.pull(10);
  state.nowMs = 6000;
  assert.equal(stage.pull(10), 1);
  assert.deepEqual(news(), ["clock 5000", "clock 6000"]);
});

Deno.test("live stage: event time goes on in a pause of the traffic", () => {
  const { stage, ring, state, news } = opened();
  news();
  ring.push(1040n * MS);
  state.nowMs = 1050;
  stage.pull(10);
  for (state.nowMs = 1060; state.nowMs < 1400; state.nowMs += 20) stage.pull(10);
  assert.deepEqual(news(), ["data 1040", "clock 1100", "clock 1200", "clock 1300"]);
});

Deno.test("live stage: a reading never passes records that still wait in the ring", () => {
  const { stage, ring, state, news } = opened();
  news();
  for (let ms = 1000n; ms < 1010n; ms++) ring.push(ms * MS);
  state.nowMs = 2500;
  assert.equal(stage.pull(4), 4 + 1, "the program that is met is a record as well");
  assert.deepEqual(news(), ["data 1000", "data 1001", "data 1002", "data 1003"]);
  stage.pull(100);
  assert.equal(news().at(-1), "clock 2500", "now the ring is empty");
  for (let ms = 2600n; ms < 2610n; ms++) ring.push(ms * MS);
  state.nowMs = 9000;
  stage.pull(4);
  assert.equal(news().at(-1), "clock 2603", "under overload it comes with the time of the records");
});

Deno.test("live stage: losses are told once a second", () => {
  const { stage, state, news, drops } = opened();
  state.drops = { ...NO_DROPS, ring_full: 4n };
  state.nowMs = 2000;
  stage.pull(10);
  assert.deepEqual(news().slice(1), ["clock 2000", "loss 2000"]);
  assert.deepEqual(drops, { ring_full: 4 });
  state.nowMs = 3000;
  stage.pull(10);
  assert.deepEqual(news(), ["clock 3000"]);
});

Deno.test("live stage: a stop takes what was there before it, and no more", async () => {
  const { stage, ring, state, news } = opened();
  news();
  state.nowMs = 1500;
  for (const ms of [1400n, 1450n, 1501n, 1502n, 1503n]) ring.push(ms * MS);
  stage.stop?.();
  for (let turn = 0; turn < 9 && !stage.done(); turn++) {
    stage.pull(3);
    await Promise.resolve(); // the kernel programs are detached meanwhile
  }
  assert.ok(stage.done());
  assert.deepEqual(news(), ["data 1400", "data 1450", "data 1501", "clock 1501"]);
  assert.equal(stage.pull(3), 0);
});

Deno.test("live stage: an aborted wait returns at once, a sleeping one when aborted", async () => {
  const { stage } = opened();
  const control = new AbortController();
  const sleep = stage.wait(control.signal);
  control.abort();
  await sleep;
  await stage.wait(control.signal);
});
