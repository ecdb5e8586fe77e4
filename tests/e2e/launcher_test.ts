// SPDX-License-Identifier: Apache-2.0
// The launcher, in places where things are missing: it says what, and ends with code 2.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { within } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";

const launcher = new URL("../../spandrel", import.meta.url).pathname;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function launch(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Outcome> {
  await using child = await startChild(launcher, { args, ...options });
  const { code } = await within("the launcher end", child.exited);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/** A folder of links to just these programs, to be the whole of PATH. */
async function pathOf(programs: readonly string[], folder: string): Promise<string> {
  for (const program of programs) {
    for (const place of ["/usr/bin", "/bin"]) {
      const isThere = await Deno.stat(`${place}/${program}`).then(() => true, () => false);
      if (!isThere) continue;
      await Deno.symlink(`${place}/${program}`, `${folder}/${program}`);
      break;
    }
  }
  return folder;
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-launcher-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const plainTools = ["dirname", "readlink", "sed", "grep", "cksum", "cat", "mktemp", "tail", "rm"];

e2e("launcher: with everything in place it says nothing of its own", { needs: [] }, async () => {
  const { code, stdout, stderr } = await launch(["--version"], { cwd: "/" });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

e2e("launcher: a slip of the pen gets the program's answer", { needs: [] }, async () => {
  const { code, stdout, stderr } = await launch(["traec"]);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  assert.match(stderr, /traec.*did you mean trace\?/);
});

e2e(
  "launcher: neither Deno nor npm is one sentence and code 2",
  { needs: [] },
  () =>
    inFolder(async (folder) => {
      const env = { PATH: await pathOf(plainTools, folder), HOME: folder };
      const { code, stdout, stderr } = await launch(["trace"], { env });
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
      assert.match(stderr, /^spandrel: Cannot get Deno [\d.]+: npm is not on this machine\. .*\n$/);
    }),
);

e2e(
  "launcher: an npm that fails shows its words, and code 2",
  { needs: [] },
  () =>
    inFolder(async (folder) => {
      const env = { PATH: await pathOf([...plainTools, "mkdir", "sh"], folder), HOME: folder };
      await Deno.writeTextFile(`${folder}/npm`, "#!/bin/sh\necho no network >&2\nexit 1\n");
      await Deno.chmod(`${folder}/npm`, 0o755);
      const { code, stderr } = await launch(["trace"], { env });
      assert.equal(code, 2);
      assert.match(
        stderr,
        /installing Deno .*\nno network\nspandrel: Cannot install Deno .* npm failed/,
      );
    }),
);

e2e(
  "launcher: a Deno that is too old is left alone",
  { needs: [] },
  () =>
    inFolder(async (folder) => {
      const env = { PATH: await pathOf(plainTools, folder), HOME: folder };
      await Deno.writeTextFile(`${folder}/deno`, "#!/bin/sh\necho 'deno 1.46.3 (stable)'\n");
      await Deno.chmod(`${folder}/deno`, 0o755);
      const { code, stderr } = await launch(["trace"], { env });
      assert.equal(code, 2);
      assert.match(stderr, /Cannot get Deno 2/);
    }),
);
