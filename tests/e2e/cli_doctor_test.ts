// SPDX-License-Identifier: Apache-2.0
// `doctor` and `protocols`: what this machine allows, and what is understood.

import assert from "node:assert/strict";
import { e2e } from "../support/e2e.ts";
import { commandLine, runSpandrel } from "../support/spandrel.ts";

e2e("doctor: every hook with its state, and exit code 0 where tracing works", {
  needs: ["bpf"],
}, async () => {
  const { code, stdout } = await runSpandrel(["doctor"]);
  assert.equal(code, 0);
  assert.match(stdout, /^on +libbpf +1\.\d+ \(/m);
  assert.match(stdout, /^on +socket_send +/m);
  assert.match(stdout, /Not seen by any hook/);
  assert.match(stdout, /^Tracing works here, on the (fast|portable) path\.$/m);
  const { canTrace, checks } = JSON.parse((await runSpandrel(["doctor", "--json"])).stdout);
  assert.equal(canTrace, true);
  for (const { name, state, finding, reason } of checks) {
    assert.ok(["on", "off", "broken"].includes(state), name);
    assert.ok(state === "on" ? finding !== "" : reason !== "", name);
  }
});

e2e("doctor: without rights it says what is missing, and exit code 1", {
  needs: ["root"],
}, async () => {
  const { code, stdout } = await new Deno.Command("setpriv", {
    args: ["--bounding-set=-all", "--inh-caps=-all", ...commandLine(["doctor"])],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.match(text, /^broken .*may not load BPF programs\n +→ run it as root/m);
  assert.match(text, /^Tracing cannot work here yet\.$/m);
  assert.equal(code, 1);
});

e2e("protocols: a table, and the same as JSON", { needs: [] }, async () => {
  const { stdout } = await runSpandrel(["protocols"]);
  assert.match(stdout, /^redis +tcp unix +order .*command key/m);
  const list: { name: string; fields: object }[] = JSON.parse(
    (await runSpandrel(["protocols", "--json"])).stdout,
  );
  assert.ok(list.some(({ name, fields }) => name === "http" && "method" in fields));
});
