// SPDX-License-Identifier: Apache-2.0
// A small service of a test's own in Node or Python, given as source text. It finds its port in
// the environment variable PORT and listens there on loopback.

import { type Child, startChild } from "../child.ts";
import { freePort, isListening } from "../ports.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

export interface ScriptOptions {
  readonly source: string;
  readonly port?: number;
  readonly netns?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ScriptServer extends Child {
  readonly port: number;
  readonly url: string;
}

/** An ES module for Node. */
export function startNodeServer(options: ScriptOptions): Promise<ScriptServer> {
  return startScript("node", "server.mjs", options);
}

export function startPythonServer(options: ScriptOptions): Promise<ScriptServer> {
  // Debian's own, not a version manager's shell script in front of it.
  return startScript("/usr/bin/python3", "server.py", options);
}

function startScript(
  interpreter: string,
  fileName: string,
  { source, port = freePort(), netns, env = {} }: ScriptOptions,
): Promise<ScriptServer> {
  return inTemporaryFolder("script", async (folder) => {
    await Deno.writeTextFile(`${folder}/${fileName}`, source);
    const child = await startChild(interpreter, {
      netns,
      args: [`${folder}/${fileName}`],
      env: { ...env, PORT: `${port}`, PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" },
      ready: () => isListening(port, { netns }),
    });
    return { ...child, port, url: `http://127.0.0.1:${port}` };
  });
}
