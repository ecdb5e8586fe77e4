// SPDX-License-Identifier: Apache-2.0
// What user space tells the kernel programs to do, and that they do it: verdicts, budgets, filters,
// wake-ups, drops, and that nothing stays behind.

import assert from "node:assert/strict";
import { type Child, startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { type DataRecord, watch } from "./kernel_watch.ts";

const NEEDS = ["bpf", "netns", "python"] as const;
const PATHS = ["fast", "portable"] as const;

/** At each SIGUSR1 the child sends `size` bytes to itself over TCP, `times` times. */
const STEPS = `
import signal, socket, sys
size, times = int(sys.argv[1]), int(sys.argv[2])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001)); b, _ = listener.accept()
print("ready")
while signal.sigwait([signal.SIGUSR1, signal.SIGTERM]) == signal.SIGUSR1:
    for i in range(times):
        a.sendall(b"s" * size)
        b.recv(size, socket.MSG_WAITALL)
`;

interface Steps extends AsyncDisposable {
  readonly pid: number;
  /** One step; resolves when its records have been told. */
  step(): void;
}

async function startSteps(size: number, times: number): Promise<Steps> {
  const netns = await createNetns();
  const child: Child = await startChild("python3", {
    args: ["-u", "-c", STEPS, `${size}`, `${times}`],
    netns: netns.name,
    ready: (c) => c.stdout().includes("ready"),
  });
  return {
    pid: child.pid,
    step: () => Deno.kill(child.pid, "SIGUSR1"),
    async [Symbol.asyncDispose]() {
      await child.stop();
      await netns[Symbol.asyncDispose]();
    },
  };
}

const tell = (records: readonly DataRecord[]) =>
  records.map((r) => `${r.direction} ${r.payload.length}/${r.length} verdict ${r.verdict}`);

for (const path of PATHS) {
  e2e(`kernel: ${path} path obeys verdicts`, { needs: NEEDS }, async () => {
    using seen = watch({ path, payloadBytesFirst: 300, payloadBytesLater: 100 });
    await using steps = await startSteps(5000, 2);
    const told = async (records: number) => {
      seen.data.length = 0;
      steps.step();
      await seen.until("records", () => seen.dataOf(steps.pid).length >= records);
      return tell(seen.dataOf(steps.pid));
    };
    const prefix = ["out 300/5000", "in 300/5000", "out 100/5000", "in 100/5000"];
    assert.deepEqual(await told(4), prefix.map((line) => `${line} verdict 0`));
    const cookies = [...new Set(seen.dataOf(steps.pid).map((r) => r.cookie))];
    assert.equal(cookies.length, 2);
    const decide = (verdict: "all" | "count" | "prefix") => {
      for (const cookie of cookies) seen.capture.setVerdict(cookie, verdict);
    };
    decide("all");
    const all = ["out 5000/5000", "in 5000/5000", "out 5000/5000", "in 5000/5000"];
    assert.deepEqual(await told(4), all.map((line) => `${line} verdict 2`));
    decide("count");
    assert.deepEqual(await told(4), all.map((line) => `${line} verdict 2`), "the old one holds");
    seen.capture.bumpGeneration();
    const none = ["out 0/5000", "in 0/5000", "out 0/5000", "in 0/5000"];
    assert.deepEqual(await told(4), none.map((line) => `${line} verdict 3`));
  });

  e2e(`kernel: ${path} path sends nothing of ignored sockets but a turn`, {
    needs: NEEDS,
  }, async () => {
    using seen = watch({ path });
    await using steps = await startSteps(10, 1);
    steps.step();
    await seen.until("records", () => seen.dataOf(steps.pid).length >= 2);
    const [sent, read] = seen.dataOf(steps.pid);
    assert.ok(sent !== undefined && read !== undefined);
    seen.capture.setVerdict(read.cookie, "ignore");
    seen.data.length = 0;
    for (let i = 1; i <= 3; i++) {
      steps.step();
      await seen.until("records", () => seen.dataOf(steps.pid).length >= i);
    }
    const after = seen.dataOf(steps.pid);
    assert.deepEqual(tell(after).slice(0, 3), Array(3).fill("out 10/10 verdict 0"));
    assert.ok(after.every((r) => r.cookie === sent.cookie));
    assert.deepEqual(
      after.map((r) => r.turn - sent.turn),
      [0, 1, 2],
      "each ignored read is a turn",
    );
    seen.capture.setVerdict(read.cookie, "prefix");
    seen.capture.bumpGeneration();
    seen.data.length = 0;
    steps.step();
    await seen.until("both", () => seen.dataOf(steps.pid).length >= 2);
    const back = seen.dataOf(steps.pid).find((r) => r.cookie === read.cookie);
    assert.equal(back?.offset, 40, "what was ignored counts");
    assert.ok(back?.flags.includes("seqValid"));
  });

  e2e(`kernel: ${path} path counts what a full ring cannot take`, { needs: NEEDS }, async () => {
    await using steps = await startSteps(100, 1000);
    using seen = watch({ path, ringBytes: 60_000, tgids: [steps.pid] });
    const records = 2000;
    steps.step();
    await until("drops", () => seen.capture.drops().ring_full > 0n);
    await until("the end of the step", async () => {
      const before = seen.capture.drops().ring_full;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return seen.capture.drops().ring_full === before;
    });
    await seen.until("records", () => seen.data.length > 0);
    const told = seen.data.length;
    const dropped = Number(seen.capture.drops().ring_full);
    assert.ok(told > 100 && told < records, `${told} records`);
    assert.ok(told + dropped >= records, `${told} told, ${dropped} dropped`);
    seen.data.length = 0;
    steps.step();
    await seen.until("records after the drops", () => seen.data.length > 100);
    assert.ok((seen.data[0]?.offset ?? 0) >= 100 * 1000, "the gap shows in the offset");
  });

  e2e(`kernel: ${path} path keeps to the filters`, { needs: NEEDS }, async () => {
    await using one = await startSteps(10, 1);
    await using two = await startSteps(11, 1);
    const sees = async (options: Parameters<typeof watch>[0], records = 2) => {
      using seen = watch({ path, ...options });
      one.step();
      two.step();
      await seen.until("records", () => seen.data.length >= records);
      return [one, two].map(({ pid }) => seen.dataOf(pid).length);
    };
    assert.deepEqual(await sees({ tgids: [two.pid] }), [0, 2]);
    const mine = { tgids: [one.pid, two.pid] };
    assert.deepEqual(await sees({ ...mine, ports: [7001], comm: "python3" }, 4), [2, 2]);
    using none = watch({ path, ...mine, ports: [7002] });
    using other = watch({ path, ...mine, comm: "python" });
    assert.deepEqual(await sees({ ...mine, exclude: [one.pid] }), [0, 2]);
    for (const seen of [none, other]) {
      seen.capture.drain(() => {});
      assert.deepEqual(seen.data, []);
    }
  });

  e2e(`kernel: ${path} path wakes a sleeping reader at once`, { needs: NEEDS }, async () => {
    await using steps = await startSteps(10, 1);
    using seen = watch({ path, tgids: [steps.pid] });
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      for (let empties = 0; empties < 3;) {
        empties = seen.capture.drain(() => {}) === 0 ? empties + 1 : 0;
      }
      const asleep = seen.capture.wait();
      const start = performance.now();
      steps.step();
      await asleep;
      waits.push(performance.now() - start);
    }
    const median = waits.toSorted((a, b) => a - b)[5] ?? Infinity;
    console.log(`median ${median.toFixed(1)} ms from the signal to the record`);
    assert.ok(median < 500, `far below the backstop of one second: ${waits}`);
  });
}

/** Two ends that take turns; the second run comes after a silence. */
const ECHO = `
import socket, time
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001)); b, _ = listener.accept()
for run in range(2):
    for i in range(4):
        a.sendall(b"q" * 400); b.recv(400, socket.MSG_WAITALL)
        b.sendall(b"r" * 400); a.recv(400, socket.MSG_WAITALL)
    time.sleep(0.15)
`;

e2e("kernel: a spent budget leaves lengths, and returns after a silence", {
  needs: NEEDS,
}, async () => {
  await using netns = await createNetns();
  using seen = watch({ pendingBytesMax: 1500 });
  await using child = await startChild("python3", { args: ["-c", ECHO], netns: netns.name });
  await child.exited;
  await seen.untilExit(child.pid);
  const client = seen.dataOf(child.pid).filter((r) => r.role === 1);
  const told = client.map((r) => r.payload.length);
  const once = [400, 400, 400, 400, 0, 0, 0, 0];
  assert.deepEqual(told, [...once, ...once]);
  assert.ok(client.every((r) => r.length === 400));
  assert.ok(client[4]?.flags.includes("budgetSpent"));
  assert.ok(seen.capture.drops().budget_spent >= 8n);
});

/** The shell's child is there before the tracer; the shell itself does nothing. */
e2e("kernel: a process brings the descendants that it has", { needs: NEEDS }, async () => {
  const quiet = `python3 -u -c "$0" 10 1 & child=$!; echo pid $child; wait $child`;
  await using netns = await createNetns();
  await using shell = await startChild("/bin/sh", {
    args: ["-c", quiet, STEPS],
    netns: netns.name,
    ready: (c) => c.stdout().includes("ready"),
  });
  const pid = Number(/pid (\d+)/.exec(shell.stdout())?.[1]);
  using seen = watch({ tgids: [shell.pid] });
  Deno.kill(pid, "SIGUSR1");
  await seen.until("records", () => seen.dataOf(pid).length >= 2);
  Deno.kill(pid, "SIGTERM");
  await shell.exited;
});

e2e("kernel: turns of an event loop are counted", { needs: NEEDS }, async () => {
  await using netns = await createNetns();
  using seen = watch();
  const script = `
import select, socket
a, b = socket.socketpair()
poll = select.epoll(); poll.register(b, select.EPOLLIN)
for i in range(3):
    a.send(b"x"); poll.poll(); b.recv(10); select.select([], [], [], 0)
`;
  await using child = await startChild("python3", { args: ["-c", script], netns: netns.name });
  await child.exited;
  await seen.untilExit(child.pid);
  const turns = seen.dataOf(child.pid).map((r) => r.turn);
  assert.deepEqual(turns.map((turn) => turn - (turns[0] ?? 0)), [0, 1, 2, 3, 4, 5]);
});

e2e("kernel: a killed tracer leaves nothing attached", { needs: ["bpf", "bpftool"] }, async () => {
  const module = new URL("../../ffi/capture.ts", import.meta.url).href;
  const code = `import { openCapture } from "${module}";
    const fast = openCapture(); const portable = openCapture({ path: "portable" });
    console.log("attached"); await fast.wait(); setTimeout(() => portable.drops(), 1e9);`;
  const flags = ["--no-prompt", "--quiet", "--allow-read", "--allow-ffi"];
  await using tracer = await startChild("deno", {
    args: ["run", ...flags, `data:application/typescript,${encodeURIComponent(code)}`],
    ready: (c) => c.stdout().includes("attached"),
  });
  const programs = async () => {
    const { stdout } = await new Deno.Command("bpftool", { args: ["prog", "show"] }).output();
    return new TextDecoder().decode(stdout);
  };
  assert.match(await programs(), /socket_receive/);
  assert.match(await programs(), /call_exit/);
  Deno.kill(tracer.pid, "SIGKILL");
  await tracer.exited;
  await until("no program left", async () => !/socket_receive|call_exit/.test(await programs()));
});
