// SPDX-License-Identifier: Apache-2.0
// A worker that tries what the store's worker must not be able to do, and says how that went.

/// <reference lib="deno.worker" />

import { openLibc } from "../../ffi/libc.ts";

/** "allowed", or the name of the error. */
export type Attempts = Record<string, string>;

self.onmessage = async ({ data: path }: MessageEvent<string>) => {
  const attempts: Record<string, () => unknown> = {
    "own file": () => Deno.statSync(path),
    "read": () => Deno.statSync("/etc/hostname"),
    "write": () => Deno.writeTextFileSync(`${path}.other`, ""),
    "folder": () => Array.from(Deno.readDirSync(path.slice(0, path.lastIndexOf("/")))),
    "net": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
    "run": () => new Deno.Command("true").outputSync(),
    "ffi": () => openLibc()[Symbol.dispose](),
    "env": () => Deno.env.get("HOME"),
    "sys": () => Deno.hostname(),
  };
  const outcomes: Attempts = {};
  for (const [what, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      outcomes[what] = "allowed";
    } catch (error) {
      outcomes[what] = error instanceof Error ? error.name : String(error);
    }
  }
  self.postMessage(outcomes);
};
