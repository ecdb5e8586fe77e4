// SPDX-License-Identifier: Apache-2.0
// Where capture is not possible it says so in one sentence that names the remedy.

import assert from "node:assert/strict";
import { openLibbpf } from "../../ffi/libbpf.ts";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";

const module = new URL("../../ffi/capture.ts", import.meta.url).href;

/** What `openCapture()` says in a process started through `prefix`. */
async function refusal(prefix: readonly string[]): Promise<string> {
  const code = `import { openCapture } from "${module}";
    try { openCapture(); console.log("no error"); }
    catch (error) { console.log(error.name + ": " + error.message); }`;
  const [command = "", ...args] = [...prefix, Deno.execPath(), "run", "--quiet", "--no-prompt"];
  const source = `data:application/typescript,${encodeURIComponent(code)}`;
  await using child = await startChild(command, {
    args: [...args, "--allow-read", "--allow-ffi", source],
  });
  await child.exited;
  return child.stdout().trim() || child.stderr();
}

e2e("kernel: without privileges the remedy is named", { needs: ["bpf"] }, async () => {
  const drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  assert.match(await refusal(drop), /^BpfError: Cannot trace: .* run it as root, or with CAP_BPF/);
});

e2e("kernel: a pid namespace is refused", { needs: ["bpf"] }, async () => {
  const inside = ["unshare", "--pid", "--fork", "--mount-proc"];
  assert.match(await refusal(inside), /^BpfError: Cannot trace: .*pid:\[\d+\].*--pid=host/);
});

e2e("kernel: a missing libbpf is named with the package to install", { needs: ["bpf"] }, () => {
  assert.throws(() => openLibbpf(["/nowhere"]), /Cannot load libbpf.so.1: .*apt install libbpf1/);
  return Promise.resolve();
});
