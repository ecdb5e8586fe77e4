// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { NO_PROGRAM } from "../../../../model/process.ts";
import { nodeWatch } from "./node_watch.ts";

const CELL = 0x20010;

/** What the program answers, null for nothing, and what is said of it then. */
const GAPS = [["it is Node v14", /Node v14/], [null, /has not answered/]] as const;

/** A host on which process 10 serves port 8080, and opens a debugger at 9229 when it is asked. */
function startHost({ answer = "" }: { readonly answer?: string | null } = {}) {
  const told: string[] = [];
  const asked: string[] = [];
  let isOpen = false;
  let serves = false;
  let whyNot = "";
  let mark: Uint32Array = new Uint32Array();
  let nowMs = 0;

  /** The debugger's side: tells its path, agrees to WebSocket, evaluates. */
  function debuggerAt() {
    let reply: string | Uint8Array = "";
    return {
      write(bytes: Uint8Array) {
        const text = new TextDecoder().decode(bytes);
        if (text.startsWith("GET /json/list ")) {
          reply = 'HTTP/1.0 200 OK\r\n\r\n[{"webSocketDebuggerUrl": "ws://127.0.0.1:9229/some"}]';
        } else if (text.startsWith("GET /some ")) {
          reply = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
        } else {
          const { params: { expression } } = JSON.parse(text.slice(text.indexOf("{")));
          asked.push(expression);
          const [, words] = /\)\(load, \[([\d,]+)\]/.exec(expression) ?? [];
          mark = Uint32Array.from((words ?? "").split(",").map(Number));
          const message = JSON.stringify({ id: 1, result: { result: { value: answer } } });
          reply = new Uint8Array([0x81, message.length, ...new TextEncoder().encode(message)]);
          isOpen = false;
        }
        return true;
      },
      read() {
        const bytes = typeof reply === "string" ? new TextEncoder().encode(reply) : reply;
        reply = "";
        return new Uint8Array(bytes);
      },
      [Symbol.dispose]() {},
    };
  }

  const line = (port: string, inode: number) =>
    `0: 0100007F:${port} 00000000:0000 0A 0:0 0:0 0 0 0 ${inode} 1`;
  const texts: Record<string, () => string> = {
    "/proc/10/net/tcp": () => `${line("1F90", 1)}\n${line("240D", 2)}\n`,
    "/proc/10/status": () => "FDSize:\t4\n",
    "/proc/10/maps": () => "00020000-00021000 rw-p 00000000 00:00 0   [heap]\n",
  };
  const watch = nodeWatch({
    programs: {
      add: (tgid, cell) => void told.push(`add ${tgid} ${cell}`),
      remove: (tgid) => void told.push(`remove ${tgid}`),
      usr1Handler: () => 0,
    },
    ports: {
      ask(tgid) {
        told.push(`ask ${tgid}`);
        isOpen = answer !== null;
        return true;
      },
      connect: debuggerAt,
    },
    files: {
      text: (path) => texts[path]?.(),
      link: (path) =>
        serves && path === "/proc/10/fd/0"
          ? "socket:[1]"
          : isOpen && path === "/proc/10/fd/1"
          ? "socket:[2]"
          : undefined,
    },
    open: () => ({
      identity: "",
      read(at, bytes) {
        const memory = new Uint8Array(bytes);
        memory.set(new Uint8Array(mark.buffer), CELL - at);
        return memory;
      },
      [Symbol.dispose]() {},
    }),
    script: "// what it is\n(function follow() {});\n",
    pid: 1,
    nowMs: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
      await Promise.resolve();
    },
    whyNot: () => whyNot,
    isWanted: (_tgid, ports) => ports.includes(8080),
  });
  return {
    ...{ watch, told, asked },
    serve: () => void (serves = true),
    refuse: (why: string) => void (whyNot = why),
    exec: (exe: string) =>
      watch.take({
        ...{ kind: "process", what: "exec", emitNs: 0n },
        program: { ...NO_PROGRAM, tgid: 10, exe },
      }),
    async settle() {
      for (let i = 0; i < 2_000; i++) await Promise.resolve();
    },
  };
}

Deno.test("node watch: a program that serves is asked, and the kernel side told", async () => {
  const host = startHost();
  host.exec("/usr/bin/node");
  await host.settle();
  assert.deepEqual(host.told, []);
  host.serve();
  await host.settle();
  assert.deepEqual(host.told, ["ask 10", `add 10 ${CELL}`]);
  assert.deepEqual(host.watch.seen(), [{ tgid: 10, exe: "/usr/bin/node", gap: "" }]);
  await host.watch.end();
  assert.deepEqual(host.told.slice(2), ["remove 10", "ask 10"]);
  assert.match(host.asked[1] ?? "", /\)\(load, null,/);
});

Deno.test("node watch: what must not be asked is not, and other programs neither", async () => {
  const host = startHost();
  host.serve();
  host.refuse("it uses SIGUSR1 itself");
  host.exec("/usr/bin/node");
  await host.settle();
  assert.match(host.watch.seen()[0]?.gap ?? "", /uses SIGUSR1/);
  host.exec("/usr/sbin/nginx");
  await host.settle();
  await host.watch.end();
  assert.deepEqual([host.told, host.watch.seen()], [[], []]);
});

Deno.test("node watch: no script begins, or nobody answers", async () => {
  for (
    const [answer, gap] of GAPS
  ) {
    const host = startHost({ answer });
    host.serve();
    host.exec("/usr/bin/node20");
    await host.settle();
    await host.settle();
    assert.match(host.watch.seen()[0]?.gap ?? "", gap);
    await host.watch.end();
    assert.deepEqual(host.told, ["ask 10"]);
  }
});
