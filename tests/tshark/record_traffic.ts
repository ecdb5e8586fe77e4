// SPDX-License-Identifier: Apache-2.0
// Records one traffic with this program's own capture and exports it as pcapng.

import { runToEnd } from "../support/child.ts";
import { runSpandrel, startSpandrel } from "../support/spandrel.ts";
import type { Traffic } from "./traffic.ts";

export interface Recorded {
  readonly recording: string;
  readonly pcapng: string;
}

/** `folder` takes the files, `modules` holds the packages of npm. */
export async function recordTraffic(
  traffic: Traffic,
  where: { folder: string; modules: string; port: number },
): Promise<Recorded> {
  const { folder, modules } = where;
  const recording = `${folder}/${traffic.name}.spandrel`;
  const pcapng = `${folder}/${traffic.name}.pcapng`;
  {
    await using server = await traffic.start(where.port, modules);
    const port = server.chosenPort ?? where.port;
    const what = traffic.record?.(port) ?? ["--port", `${port}`];
    const words = ["record", recording, "--whole", ...what];
    await using recorder = await startSpandrel(words, { whenTracing: true });
    await traffic.use(port, modules);
    const { code } = await recorder.stop();
    if (code !== 0) throw new Error(`Cannot record ${traffic.name}: ${recorder.stderr()}`);
  }
  const words = ["export", "--format", "pcapng", "--replay", recording, "--output", pcapng];
  const { code, stderr } = await runSpandrel(words);
  if (code !== 0) throw new Error(`Cannot export ${traffic.name}: ${stderr}`);
  return { recording, pcapng };
}

/** Packages of npm that stay on this machine for the next run. */
export async function installPackages(packages: readonly string[]): Promise<string> {
  const folder = `${Deno.env.get("TMPDIR") ?? "/tmp"}/spandrel-tshark-modules`;
  await Deno.mkdir(folder, { recursive: true });
  if (packages.length === 0 || packages.every((each) => isInstalled(folder, each))) return folder;
  const options = ["--prefix", folder, "--no-audit", "--no-fund", "--prefer-offline", "--silent"];
  await runToEnd("npm", { args: ["install", ...options, ...packages] });
  return folder;
}

/** `@grpc/grpc-js@1` is there in that major version. */
function isInstalled(folder: string, wanted: string): boolean {
  const [, name = "", version = ""] = /^(.+)@([\d.]+)$/.exec(wanted) ?? [];
  try {
    const file = `${folder}/node_modules/${name}/package.json`;
    const { version: found } = JSON.parse(Deno.readTextFileSync(file));
    return `${found}.`.startsWith(`${version}.`);
  } catch {
    return false;
  }
}
