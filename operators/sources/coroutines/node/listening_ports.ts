// SPDX-License-Identifier: Apache-2.0
// Ports of loopback, or of all addresses, on which a process listens. By /proc, as the process sees
// its network.

import type { HostFiles } from "../../../../ffi/host_files.ts";

/** Descriptors that are looked at; a debugger gets one of the lowest that are free. */
const DESCRIPTORS_MAX = 4_096;

export function listeningPorts(tgid: number, files: Pick<HostFiles, "text" | "link">): number[] {
  const ports = new Map<string, number>();
  for (const line of (files.text(`/proc/${tgid}/net/tcp`) ?? "").split("\n")) {
    //   0: 0100007F:240D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 …
    const words = line.trim().split(/\s+/);
    const [, address = "", port = ""] = /^([0-9A-F]{8}):([0-9A-F]{4})$/.exec(words[1] ?? "") ?? [];
    const isHere = address.endsWith("7F") || address === "00000000";
    if (words[3] === "0A" && isHere) ports.set(words[9] ?? "", Number.parseInt(port, 16));
  }
  const size = /^FDSize:\s*(\d+)/m.exec(files.text(`/proc/${tgid}/status`) ?? "");
  const found: number[] = [];
  for (let fd = 0; fd < Math.min(Number(size?.[1] ?? 0), DESCRIPTORS_MAX); fd++) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(files.link(`/proc/${tgid}/fd/${fd}`) ?? "") ?? [];
    const port = inode === undefined ? undefined : ports.get(inode);
    if (port !== undefined) found.push(port);
  }
  return found;
}
