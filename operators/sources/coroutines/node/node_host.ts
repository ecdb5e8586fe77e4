// SPDX-License-Identifier: Apache-2.0
// What follows Node programs on this host: which of them are wanted, and how each is reached.

import type { Capture, CaptureOptions } from "../../../../ffi/capture.ts";
import { openHostFile } from "../../../../ffi/host_file.ts";
import type { HostFiles } from "../../../../ffi/host_files.ts";
import type { Libc } from "../../../../ffi/libc.ts";
import { debuggerPorts } from "../../../../ffi/runtimes/debugger_port.ts";
import type { NodeHost } from "./node_watch.ts";
import { whyNotAsk } from "./why_not_ask.ts";

const SCRIPT = new URL("./follow_requests.js", import.meta.url);

/** Parents of parents that are looked at for one that is traced. */
const GENERATIONS_MAX = 32;

export function nodeHost(
  libc: Libc,
  files: HostFiles,
  { node: programs }: Pick<Capture, "node">,
  { tgids, ports }: Pick<CaptureOptions, "tgids" | "ports">,
): NodeHost {
  const open = (path: string) => openHostFile(libc, path);

  function descends(tgid: number, from: readonly number[]): boolean {
    for (let i = 0, each = tgid; i < GENERATIONS_MAX && each > 0; i++) {
      if (from.includes(each)) return true;
      const status = files.text(`/proc/${each}/status`) ?? "";
      each = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
    }
    return false;
  }

  return {
    programs,
    ports: debuggerPorts(libc),
    files,
    open,
    script: Deno.readTextFileSync(SCRIPT),
    pid: Deno.pid,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    nowMs: () => performance.now(),
    whyNot(tgid) {
      using memory = open(`/proc/${tgid}/mem`);
      return whyNotAsk(programs.usr1Handler(tgid), memory);
    },
    isWanted: (tgid, listensOn) =>
      (ports === undefined || listensOn.some((port) => ports.includes(port))) &&
      (tgids === undefined || descends(tgid, tgids)),
  };
}
