// SPDX-License-Identifier: Apache-2.0
// Tasks of asyncio as the kernel programs tell them, against what the tasks say of themselves: each
// sends its own name and that of the task that awaits it.

import assert from "node:assert/strict";
import { openHostFile } from "../../ffi/host_file.ts";
import { openHostFiles } from "../../ffi/host_files.ts";
import { openLibc } from "../../ffi/libc.ts";
import { pythonWatch } from "../../operators/sources/coroutines/python/python_watch.ts";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

/** At SIGUSR1 tasks of all kinds send over UDP, in loops of three threads at once. */
const FAMILY = `
import asyncio, signal, socket, sys, threading

HOST = ("127.0.0.1", 7001)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own = lambda: asyncio.current_task().get_name()

def send(*words):
    udp.sendto(" ".join(words).encode(), HOST)

async def say(parent, kind):
    for _ in range(3):
        send(own(), parent, kind)
        await asyncio.sleep(0.001)

async def twice(parent):
    await asyncio.gather(*(say(own(), "twice") for _ in range(2)))

async def handle():
    await asyncio.gather(*(say(own(), "gather") for _ in range(3)))
    await asyncio.gather(twice(own()))
    await asyncio.wait_for(asyncio.ensure_future(say(own(), "wait_for")), 9)
    await asyncio.wait([asyncio.ensure_future(say(own(), "wait"))])
    await asyncio.shield(say(own(), "shield"))
    await asyncio.create_task(say(own(), "create_task"))
    if sys.version_info >= (3, 11):
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(say(own(), "TaskGroup"))
    loop = asyncio.get_running_loop()
    awaiting = own() if sys.version_info >= (3, 11) else "none"
    await loop.run_in_executor(None, send, awaiting, "-", "executor")
    done = loop.create_future()
    loop.call_soon(lambda: (send("none", "-", "callback"), done.set_result(None)))
    await done

async def several():
    await asyncio.gather(*(handle() for _ in range(8)))

async def main():
    begin = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, begin.set)
    print("ready", flush=True)
    await begin.wait()
    others = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(2)]
    for each in others:
        each.start()
    await several()
    for each in others:
        each.join()

asyncio.run(main())
`;

for (const path of ["fast", "portable"] as const) {
  e2e(`kernel: ${path} path tells tasks of asyncio, and who awaits them`, {
    needs: ["bpf", "netns", "python"],
  }, async () => {
    await using netns = await createNetns();
    await using child = await startChild("/usr/bin/python3", {
      args: ["-c", FAMILY],
      netns: netns.name,
      ready: (c) => c.stdout().includes("ready"),
    });
    using seen = watch({ path });
    using libc = openLibc();
    const files = openHostFiles(libc);
    const python = pythonWatch({
      text: files.text,
      open: (file) => openHostFile(libc, file),
      programs: seen.capture.python,
      nowMs: () => performance.now(),
    });
    python.meet(child.pid, files.link(`/proc/${child.pid}/exe`) ?? "");
    assert.deepEqual(python.gaps(), []);
    Deno.kill(child.pid, "SIGUSR1");
    assert.equal((await child.exited).code, 0, child.stderr());
    await seen.untilExit(child.pid);
    const sent = seen.dataOf(child.pid).filter(({ direction, payload }) =>
      direction === "out" && payload.split(" ").length === 3
    );
    const lines = linesOf(seen.others.filter(({ tgid }) => tgid === child.pid));
    let early = 0;
    for (const { payload, coroutine } of sent) {
      const [own = "", parent = "", kind = ""] = payload.split(" ");
      if (own === "none") assert.equal(coroutine, 0, payload);
      else if (kind !== "executor") {
        assert.equal(`Task-${coroutine}`, own);
        assert.equal(`Task-${lines.get(`${coroutine}`)?.[1]}`, parent, kind);
      } else if (coroutine === 0) early++; // sent before asyncio had told the pool who awaits it
      else assert.equal(`Task-${coroutine}`, own, kind);
    }
    assert.ok(early < 3 * 8, "no thread of an executor is known to work for a task");
    assert.ok(sent.length >= 3 * 8 * 26, `${sent.length} were sent`);
  });
}

/** By number, the line of each task: itself, who awaits it, who awaits that. */
function linesOf(
  others: readonly {
    readonly kind: string;
    readonly fields: Readonly<Record<string, number | bigint | string>>;
  }[],
): Map<string, string[]> {
  const told = others.filter(({ kind }) => kind === "coroutine");
  return new Map(told.map(({ fields }) => {
    const line = String(fields["ancestors"]).split(" ");
    return [line[0] ?? "", line];
  }));
}
