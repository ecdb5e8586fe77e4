// SPDX-License-Identifier: Apache-2.0
// The Python processes with loops of asyncio that run here: a line each of which tasks can be told
// apart, or why not.

import { openHostFile } from "../../ffi/host_file.ts";
import type { HostFiles } from "../../ffi/host_files.ts";
import type { Libc } from "../../ffi/libc.ts";
import { surveyPython } from "../../operators/sources/coroutines/python/survey_python.ts";
import type { Check } from "./check_host.ts";

/** Processes that are told one by one. */
const TOLD_MAX = 20;

export function pythonChecks(
  processes: readonly { readonly tgid: number; readonly exe: string }[],
  files: Pick<HostFiles, "text">,
  libc: Libc,
): Check[] {
  const open = (path: string) => openHostFile(libc, path);
  const found = surveyPython(processes, { text: files.text, open });
  return found.slice(0, TOLD_MAX).map(({ tgid, exe, gap }) => ({
    name: "python program",
    state: gap === "" ? "on" : "off",
    finding: `${exe} (process ${tgid}): on behalf of which task of asyncio it calls`,
    reason: gap,
    remedy: "",
  }));
}
