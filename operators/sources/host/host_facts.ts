// SPDX-License-Identifier: Apache-2.0
// Facts of this host that its recordings carry and its spans name.

import type { HostFiles } from "../../../ffi/host_files.ts";
import type { HostFacts } from "../recordings/recording_header.ts";

export function readHostFacts(files: HostFiles): HostFacts {
  const line = (path: string) => files.text(path)?.trim() ?? "";
  return {
    name: line("/proc/sys/kernel/hostname"),
    bootId: line("/proc/sys/kernel/random/boot_id"),
    kernel: line("/proc/sys/kernel/osrelease"),
    machine: Deno.build.arch,
  };
}
