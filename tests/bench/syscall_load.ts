// SPDX-License-Identifier: Apache-2.0
// A process that does nothing but system calls, for measuring probes. Reads lines "KIND COUNT" and
// answers each with the nanoseconds per round. Kinds: getppid; null (write to /dev/null + read of
// /dev/zero); tcp (write + read of 64 bytes over a loopback connection of its own).

import { checked, cString, openLibc } from "../../ffi/libc.ts";

const MESSAGE_BYTES = 64n;
const AF_INET = 2;
const SOCK_STREAM = 1;
const O_RDWR = 2;

const SYMBOLS = {
  getppid: { parameters: [], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
} as const;

if (import.meta.main) await serve();

async function serve(): Promise<void> {
  using libc = openLibc();
  const sockets = Deno.dlopen("libc.so.6", SYMBOLS);
  const buffer = new Uint8Array(Number(MESSAGE_BYTES)).fill(120);
  const sink = checked(libc, libc.call.open(cString("/dev/null"), O_RDWR, 0), "open", "open null");
  const zero = checked(libc, libc.call.open(cString("/dev/zero"), O_RDWR, 0), "open", "open zero");
  const [client, server] = connectPair();
  const pair = (to: number, from: number) => () => {
    libc.call.write(to, buffer, MESSAGE_BYTES);
    libc.call.read(from, buffer, MESSAGE_BYTES);
  };
  const rounds: Record<string, () => unknown> = {
    getppid: () => sockets.symbols.getppid(),
    null: pair(sink, zero),
    tcp: pair(client, server),
  };

  function connectPair(): [number, number] {
    const address = new Uint8Array(16);
    new DataView(address.buffer).setUint16(0, AF_INET, true);
    address.set([127, 0, 0, 1], 4);
    const { symbols: call } = sockets;
    const listener = checked(libc, call.socket(AF_INET, SOCK_STREAM, 0), "socket", "listen");
    checked(libc, call.bind(listener, address, 16), "bind", "listen");
    checked(libc, call.listen(listener, 1), "listen", "listen");
    call.getsockname(listener, address, new Uint32Array([16]));
    const end = checked(libc, call.socket(AF_INET, SOCK_STREAM, 0), "socket", "connect");
    checked(libc, call.connect(end, address, 16), "connect", "connect");
    return [end, checked(libc, call.accept(listener, null, null), "accept", "accept")];
  }

  for await (const line of linesOfStdin()) {
    const [kind = "", count = "0"] = line.split(" ");
    const round = rounds[kind];
    if (round === undefined) throw new Error(`Cannot make load: no kind ${kind}`);
    const start = performance.now();
    for (let i = Number(count); i > 0; i--) round();
    console.log((performance.now() - start) * 1e6 / Number(count));
  }
}

async function* linesOfStdin(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
