// SPDX-License-Identifier: Apache-2.0
// The live view in a real terminal: first picture, lists, waterfall, filter, resize, and the
// terminal as it was when it ends.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { commandLine } from "../support/spandrel.ts";
import { openTerminal } from "../support/tmux.ts";

e2e("live view: services, traces, waterfall, filter, help, resize, quit", {
  needs: ["bpf", "tmux", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx({
    server: `location / { return 200 "hello"; } location /bad { return 503; }`,
  });
  const ask = `while :; do curl -s -o /dev/null ${nginx.url}/good; ` +
    `curl -s -o /dev/null ${nginx.url}/bad; sleep 0.05; done`;
  const line = commandLine(["trace", "--port", `${nginx.port}`]);
  await using terminal = await openTerminal(line, { columns: 110, rows: 30 });
  await terminal.screenWith(/spandrel {2}port \d+/);
  await using _customers = await startChild("sh", { args: ["-c", ask], stopSignal: "SIGKILL" });

  const lists = await terminal.screenWith(/nginx +http +[\d.]+ +0 +50\.0%/);
  assert.match(lists, /SERVICE +PROTOCOLS +REQ\/S▼ +CALLS\/S +ERRORS +P50 +P99 +TOTAL/);
  assert.match(lists, /curl +GET \/good/);
  assert.match(lists, /503 +curl +GET \/bad/);
  assert.match(lists, /events\/s · (no drops · )?cpu .*% · mem \d+ MB · [\d,]+ spans · fast path/);

  await terminal.press("Tab", "Enter");
  const waterfall = await terminal.screenWith(/curl → GET .*\n└ nginx GET .*hop 100%/);
  assert.match(waterfall, /2 spans · 2 services · .*trace [0-9a-f]{32}/);
  await terminal.press("Escape", "/");
  await terminal.press("-l", "bad");
  await terminal.press("Enter");
  await terminal.screenWith(/filter: bad/);
  assert.doesNotMatch(await terminal.screen(), /GET \/good/);
  await terminal.press("p");
  await terminal.screenWith(/PAUSED/);
  await terminal.press("p", "?");
  await terminal.screenWith(/sort by another column/);
  await terminal.press("x");
  await terminal.resize(72, 20);
  const narrow = await terminal.screenWith(/\? help {2}q quit/);
  for (const row of narrow.split("\n")) assert.ok(row.length <= 72, row);

  await terminal.press("q");
  assert.equal(await terminal.ended(), 0);
  assert.doesNotMatch(await terminal.screen(), /REQ\/S|events\/s/);
});

e2e("live view: Ctrl-C leaves the terminal as it was", { needs: ["bpf", "tmux"] }, async () => {
  await using terminal = await openTerminal(commandLine(["trace"]));
  await terminal.screenWith(/nothing yet|REQ\/S/);
  await terminal.press("C-c");
  assert.equal(await terminal.ended(), 0);
  assert.doesNotMatch(await terminal.screen(), /REQ\/S/);
});
