// SPDX-License-Identifier: Apache-2.0
// MariaDB as a child process of a test: a new data folder, user `root` without a password over TCP.

import { type Child, runToEnd, startChild } from "../child.ts";
import { freePort, isListening } from "../ports.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

export interface Mariadb extends Child {
  readonly port: number;
  readonly user: string;
}

export function startMariadb(
  { port = freePort(), netns }: { port?: number; netns?: string | undefined } = {},
): Promise<Mariadb> {
  return inTemporaryFolder("mariadb", async (folder) => {
    const data = `${folder}/data`;
    const runAs = Deno.uid() === 0 ? ["--user=root"] : [];
    await runToEnd("mariadb-install-db", {
      args: [
        "--no-defaults",
        ...runAs,
        `--datadir=${data}`,
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
      ],
    });
    const child = await startChild("mariadbd", {
      netns,
      args: [
        "--no-defaults",
        ...runAs,
        `--datadir=${data}`,
        `--socket=${folder}/socket`,
        `--pid-file=${folder}/pid`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-flush-method=nosync",
      ],
      ready: () => isListening(port, { netns }),
    });
    return { ...child, port, user: "root" };
  });
}
