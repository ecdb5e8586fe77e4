// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { openReplay, openReplayFrom } from "../replay_source.ts";
import { closeRecord, dataRecord, processRecord } from "../records/event_fixture.ts";
import { encodeHostFact } from "../records/host_fact.ts";
import { collect, inputOf } from "../source_fixture.ts";
import { BLOCK_BYTES } from "./recording_block.ts";
import type { RecordingHeader } from "./recording_header.ts";
import { type ByteOutput, createRecording, writeRecording } from "./recording_writer.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const HEADER: RecordingHeader = {
  host: { name: "hôst", bootId: "b-1", kernel: "6.1", machine: "x86_64" },
  version: "0.1.0",
  path: "fast",
  started: "2026-01-01T00:00:00Z",
};

/** Takes writes into memory; `refuseAfter` bytes it throws as a full disk does. */
function memory(refuseAfter = Number.POSITIVE_INFINITY) {
  let bytes: Bytes = new Uint8Array();
  const output: ByteOutput = {
    write(part) {
      const room = Math.max(0, refuseAfter - bytes.length);
      if (room === 0) return Promise.reject(new Error("No space left on device (os error 28)"));
      const took = part.subarray(0, Math.min(room, 100_000));
      const longer = new Uint8Array(bytes.length + took.length);
      longer.set(bytes);
      longer.set(took, bytes.length);
      bytes = longer;
      return Promise.resolve(took.length);
    },
    truncate(length) {
      bytes = bytes.slice(0, length);
      return Promise.resolve();
    },
    close() {},
  };
  return { output, bytes: () => bytes };
}

async function record(records: readonly Bytes[], flushEvery = 1000): Promise<Bytes> {
  const file = memory();
  {
    await using writer = writeRecording(file.output, HEADER, "test");
    records.forEach((bytes, i) => {
      writer.append(bytes, 0, new DataView(bytes.buffer).getUint32(0, true));
      if ((i + 1) % flushEvery === 0) writer.flush();
    });
  }
  return file.bytes();
}

const replay = (file: Bytes, chunkBytes?: number, recordsMax?: number) =>
  collect(
    openReplayFrom(() => inputOf(file, chunkBytes), "test", chunkBytes).source,
    recordsMax,
  );

/** A small life of a host: a process, some sockets with traffic of all lengths, their ends. */
const TRAFFIC: readonly Bytes[] = [
  encodeHostFact({ fact: "clock", bootNs: "4", realNs: "1700000000000000000" }, 1_000_000_000n),
  processRecord({ what: "exec", filename: "/bin/x", args: ["x"] }),
  ...Array.from({ length: 60 }, (_, i) =>
    dataRecord({
      cookie: BigInt(i % 7),
      payload: "x".repeat(i * 3 % 50),
      emitNs: 1_000_000_000n + BigInt(i) * 3_000_000n,
    })),
  closeRecord({ cookie: 3n }),
  processRecord({ what: "exit", exitStatus: 9 }),
];

Deno.test("recording: what is written is read back, header and records", async () => {
  const file = await record(TRAFFIC);
  assert.deepEqual(openReplayFrom(() => inputOf(file), "test").header, HEADER);
  const { records, drops, watermarks } = await replay(file);
  const kinds = Object.groupBy(records, (r) => r.kind);
  assert.deepEqual(
    Object.entries(kinds).map(([kind, list]) => [kind, list.length]),
    [["clock", 1], ["process", 2], ["data", 60], ["close", 1]],
  );
  assert.deepEqual(drops, {});
  assert.ok(watermarks.length > 10);
});

Deno.test("recording: the same records and watermarks for any read and drain size", async () => {
  const file = await record(TRAFFIC, 10);
  const want = await replay(file);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 20 }),
      async (chunkBytes, recordsMax) => {
        assert.deepEqual(await replay(file, chunkBytes, recordsMax), want);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("recording: a cut tail is counted, all whole blocks before it are kept", async () => {
  const file = await record(TRAFFIC, 10);
  const whole = (await replay(file)).records;
  const start = new DataView(file.buffer).getUint32(12, true) + 24;
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - start - 1), async (keep) => {
      const { records, drops } = await replay(file.slice(0, start + keep));
      assert.deepEqual(records, whole.slice(0, records.length));
      assert.equal(records.length % 10 < 3, true, "whole blocks only");
      if (records.length < whole.length && keep > 0) {
        assert.ok((drops.recording_damaged ?? 0) <= 1);
      }
    }),
    { numRuns: 100 },
  );
  const cut = await replay(file.slice(0, file.length - 1));
  assert.equal(cut.drops.recording_damaged, 1);
});

Deno.test("recording: flipped bits cost the block they lie in and never throw", async () => {
  const file = await record(TRAFFIC, 10);
  const start = new DataView(file.buffer).getUint32(12, true) + 24;
  const blocks = Math.ceil(TRAFFIC.length / 10);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(file.length - start - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const damaged = file.slice();
        damaged[start + at] = (damaged[start + at] ?? 0) ^ flip;
        const { records, drops } = await replay(damaged);
        assert.equal(drops.recording_damaged, 1);
        assert.ok(records.length >= TRAFFIC.length - TRAFFIC.length / blocks - 4);
      },
    ),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }),
      async (changes) => {
        const damaged = file.slice();
        for (const [at, value] of changes) damaged[at % file.length] = value;
        try {
          await replay(damaged);
        } catch (error) {
          assert.match(String(error), /Cannot replay test: /);
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("recording: what is no recording is refused in one sentence", async () => {
  const file = await record([]);
  const refused: [Bytes, RegExp][] = [
    [new Uint8Array(5), /^Cannot replay test: it ends within its header$/],
    [new Uint8Array(500), /it is not a recording$/],
    [file.slice(0, 60), /it ends within its header$/],
    [file.with(8, 9), /its format version is 9, known is 1$/],
    [file.with(40, 0), /its header is damaged$/],
  ];
  for (const [bytes, message] of refused) {
    assert.throws(() => openReplayFrom(() => inputOf(bytes), "test"), { message });
  }
  assert.throws(() => openReplay("/no/such"), {
    message: "Cannot read recording /no/such: no such file",
  });
});

Deno.test("recording: a full disk ends it, says so, and keeps what is there", async () => {
  const payload = "x".repeat(10_000);
  const records = Array.from({ length: 200 }, () => dataRecord({ payload }));
  const file = memory(3 * BLOCK_BYTES);
  const writer = writeRecording(file.output, HEADER, "test");
  for (const bytes of records) writer.append(bytes, 0, bytes.length);
  writer.flush();
  await writer[Symbol.asyncDispose]();
  writer.append(records[0] ?? new Uint8Array(), 0, 0);
  const { problem, recordsLost, recordsWritten, bytesWritten } = writer.progress;
  assert.match(
    problem ?? "",
    /^Cannot go on recording to test: no space left on the device; the first 0\.8 MB are kept/,
  );
  assert.equal(recordsWritten + recordsLost, 201);
  assert.equal(file.bytes().length, bytesWritten);
  const { records: kept, drops } = await replay(file.bytes());
  assert.equal(kept.length, recordsWritten + 1, "one more tells of the program");
  assert.deepEqual(drops, {});
});

Deno.test("recording: a disk that hangs costs records, not memory; they are counted", async () => {
  const hang = Promise.withResolvers<number>();
  let written = 0;
  const output: ByteOutput = {
    write: (bytes) => written++ === 0 ? hang.promise : Promise.resolve(bytes.length),
    truncate: () => Promise.resolve(),
    close() {},
  };
  const writer = writeRecording(output, HEADER, "test");
  const record = dataRecord({ payload: new Uint8Array(250_000) });
  for (let i = 0; i < 300; i++) writer.append(record, 0, record.length);
  const { recordsLost } = writer.progress;
  assert.ok(recordsLost > 30 && recordsLost < 60, `${recordsLost} lost`);
  hang.resolve(1_000_000);
  await writer[Symbol.asyncDispose]();
  assert.equal(writer.progress.recordsWritten + writer.progress.recordsLost, 300);
  assert.equal(writer.progress.problem, null);
});

Deno.test("recording: the file is its owner's alone", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.remove(path);
    await (await createRecording(path, HEADER))[Symbol.asyncDispose]();
    assert.equal((await Deno.stat(path)).mode ?? 0 & 0o777, 0o100600);
    assert.deepEqual(openReplay(path).header, HEADER);
  } finally {
    await Deno.remove(path);
  }
  await assert.rejects(() => createRecording("/tmp/no such/file", HEADER), {
    message: "Cannot record to /tmp/no such/file: its folder does not exist",
  });
});
