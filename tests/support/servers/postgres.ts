// SPDX-License-Identifier: Apache-2.0
// PostgreSQL as a child process of a test: a new cluster in a temporary folder, run as the user
// `postgres` when the test is root (the server refuses to be root), without passwords.

import { type Child, runToEnd, startChild } from "../child.ts";
import { freePort, isListening } from "../ports.ts";
import { postgresFolder } from "../requirements.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

export interface Postgres extends Child {
  readonly port: number;
  readonly user: string;
}

export function startPostgres(
  { port = freePort(), netns }: { port?: number; netns?: string | undefined } = {},
): Promise<Postgres> {
  const programs = postgresFolder();
  if (programs === undefined) throw new Error("Cannot start PostgreSQL: it is not installed");
  return inTemporaryFolder("postgres", async (folder) => {
    const user = "postgres";
    if (Deno.uid() === 0) await runToEnd("chown", { args: [user, folder] });
    const data = `${folder}/data`;
    await runToEnd(`${programs}/initdb`, {
      user,
      cwd: folder,
      args: ["-D", data, "-U", user, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
    });
    const settings = [`unix_socket_directories=${folder}`, "fsync=off", "jit=off"];
    const child = await startChild(`${programs}/postgres`, {
      user,
      netns,
      cwd: folder,
      args: ["-D", data, "-h", "127.0.0.1", "-p", `${port}`, ...settings.flatMap((s) => ["-c", s])],
      stopSignal: "SIGINT", // fast shutdown: does not wait for clients to leave
      ready: async (child) =>
        child.stderr().includes("ready to accept connections") &&
        await isListening(port, { netns }),
    });
    return { ...child, port, user };
  });
}
