// SPDX-License-Identifier: Apache-2.0
// `trace -- COMMAND`: waterfalls of what the command took part in, and its exit code.

import assert from "node:assert/strict";
import { e2e } from "../support/e2e.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { commandLine, runSpandrel, spansIn } from "../support/spandrel.ts";

e2e("trace -- curl: its waterfall on standard error, its output untouched", {
  needs: ["bpf", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx();
  const { code, stdout, stderr } = await runSpandrel(["trace", "--", "curl", "-sS", nginx.url]);
  assert.equal(code, 0);
  assert.equal(stdout, "hello\n");
  const lines = stderr.trim().split("\n");
  assert.match(lines[0] ?? "", /^curl GET \/ · .* · 2 spans · 2 services · trace [0-9a-f]{32}$/);
  assert.match(lines[1] ?? "", /^curl → GET \/ /);
  assert.match(lines[2] ?? "", /^└ nginx GET \/ .*hop 100%/);
});

e2e("trace -- COMMAND: descendants belong to it, others do not", {
  needs: ["bpf", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx();
  await using other = await startNginx();
  const path = await Deno.makeTempFile({ prefix: "spandrel-command-" });
  try {
    const noise = new Deno.Command("sh", {
      args: ["-c", `while :; do curl -s -o /dev/null ${other.url}/noise; sleep 0.05; done`],
    }).spawn();
    const script = `(sh -c 'curl -sS -o /dev/null ${nginx.url}/grandchild'); exit 3`;
    const words = ["trace", "--json", "--output", path, "--", "sh", "-c", script];
    const { code } = await runSpandrel(words);
    noise.kill("SIGKILL");
    await noise.status;
    assert.equal(code, 3);
    const spans = spansIn(await Deno.readTextFile(path));
    assert.deepEqual(spans.map(({ process, resource }) => `${process} ${resource}`), [
      "curl /grandchild",
      "nginx /grandchild",
    ]);
  } finally {
    await Deno.remove(path);
  }
});

const CODES: readonly [what: string, command: string[], code: number][] = [
  ["fails", ["sh", "-c", "exit 42"], 42],
  ["is killed", ["sh", "-c", "kill -KILL $$"], 137],
  ["is terminated", ["sh", "-c", "kill -TERM $$"], 143],
  ["is not there", ["/nowhere/program"], 127],
  ["is no program", ["/etc/passwd"], 126],
];

for (const [what, command, expected] of CODES) {
  e2e(`trace -- COMMAND that ${what}: exit code ${expected}`, { needs: ["bpf"] }, async () => {
    assert.equal((await runSpandrel(["trace", "--", ...command])).code, expected);
  });
}

e2e("trace -- COMMAND is not run when tracing cannot start: exit code 2", {
  needs: ["root"],
}, async () => {
  const marker = await Deno.makeTempFile();
  await Deno.remove(marker);
  const { code } = await new Deno.Command("setpriv", {
    args: [
      ...["--bounding-set=-all", "--inh-caps=-all"],
      ...commandLine(["trace", "--", "touch", marker]),
    ],
    stderr: "null",
  }).output();
  assert.equal(code, 2);
  await assert.rejects(Deno.stat(marker), Deno.errors.NotFound);
});
