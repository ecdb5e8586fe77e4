// SPDX-License-Identifier: Apache-2.0
// Recordings on bad days: the recorder is killed, the disk is full, someone reads too early.
// What has reached the file is replayed, and what has not is counted or told.

import assert from "node:assert/strict";
import { openReplay } from "../../operators/sources/replay_source.ts";
import { collect, type Collected } from "../../operators/sources/source_fixture.ts";
import { runToEnd } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { startRedis } from "../support/servers/redis.ts";
import { startSpandrel } from "../support/spandrel.ts";

const replay = (path: string): Promise<Collected> => collect(openReplay(path).source, 4096);

const commandsIn = ({ records }: Collected, port: number): number =>
  records.filter((r) =>
    r.kind === "data" && r.direction === "egress" && r.connection.peer.port === port
  ).length;

const benchmark = (port: number, requests: number) =>
  runToEnd("redis-benchmark", {
    args: ["-p", `${port}`, "-q", "-n", `${requests}`, "-c", "2", "-t", "get"],
  });

e2e("record: the growing file can be read, and what is in it when the recorder is killed", {
  needs: ["bpf", "redis"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-record-" });
  const file = `${folder}/load`;
  try {
    await using redis = await startRedis();
    const words = ["record", file, "--port", `${redis.port}`];
    await using recorder = await startSpandrel(words, { whenTracing: true });
    await benchmark(redis.port, 1000);
    const growing = await until("the load in the growing file", async () => {
      const got = await replay(file);
      return commandsIn(got, redis.port) >= 1000 && got;
    });
    assert.deepEqual(growing.drops, {});
    await benchmark(redis.port, 1000);
    Deno.kill(recorder.pid, "SIGKILL");
    await recorder.exited;
    const kept = await replay(file);
    assert.ok(kept.records.length >= growing.records.length);
    assert.deepEqual(kept.records.slice(0, growing.records.length), growing.records);
    assert.ok((kept.drops.recording_damaged ?? 0) <= 1, "only the last block may be cut");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

e2e("record: a full disk ends it with one sentence, and what is there can be replayed", {
  needs: ["bpf", "redis", "root"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-record-" });
  await runToEnd("mount", { args: ["-t", "tmpfs", "-o", "size=1m", "none", folder] });
  try {
    await using redis = await startRedis();
    const file = `${folder}/load`;
    const words = ["record", file, "--port", `${redis.port}`];
    await using recorder = await startSpandrel(words, { whenTracing: true });
    await benchmark(redis.port, 5000);
    const { code } = await recorder.exited;
    assert.equal(code, 2);
    const sentence =
      /^Cannot go on recording to \S+: no space left on the device; the first 0\.\d MB/m;
    assert.match(recorder.stderr(), sentence);
    const kept = await replay(file);
    assert.ok(commandsIn(kept, redis.port) > 500);
    assert.deepEqual(kept.drops, {}, "the block that did not fit was cut off");
  } finally {
    await runToEnd("umount", { args: [folder] });
    await Deno.remove(folder);
  }
});
