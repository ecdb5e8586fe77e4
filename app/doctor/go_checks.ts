// SPDX-License-Identifier: Apache-2.0
// The Go programs that run here: a line each of which goroutines can be told apart, or why not.

import { openHostFile } from "../../ffi/host_file.ts";
import type { Libc } from "../../ffi/libc.ts";
import { surveyGo } from "../../operators/sources/coroutines/survey_go.ts";
import type { Check } from "./check_host.ts";

/** Programs that are told one by one. */
const TOLD_MAX = 20;

export function goChecks(
  processes: readonly { readonly tgid: number; readonly exe: string }[],
  libc: Libc,
): Check[] {
  const found = surveyGo(processes, (path) => openHostFile(libc, path))
    .sort((a, b) => Number(a.isRead) - Number(b.isRead) || a.exe.localeCompare(b.exe, "en"));
  return found.slice(0, TOLD_MAX).map(({ tgids, exe, version, isRead, gaps }) => {
    const ids = tgids.slice(0, 3).join(", ") + (tgids.length > 3 ? " …" : "");
    const built = version === "" ? "" : `, built by ${version}`;
    return {
      name: "go program",
      state: isRead ? "on" : "off",
      finding: `${exe} (process ${ids}${built}): on behalf of which goroutine it calls`,
      reason: gaps.join("; "),
      remedy: "",
    };
  });
}
