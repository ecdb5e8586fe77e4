// SPDX-License-Identifier: Apache-2.0
// The command line as users meet it: help, completion, and one clear sentence for what is wrong.

import assert from "node:assert/strict";
import { e2e } from "../support/e2e.ts";
import { commandLine, runSpandrel } from "../support/spandrel.ts";

const COMMANDS = ["trace", "demo", "record", "sql", "export", "doctor", "protocols", "completion"];

e2e("cli: help lists all commands, and every command explains itself", { needs: [] }, async () => {
  const { code, stdout } = await runSpandrel(["help"]);
  assert.equal(code, 0);
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, "m"));
  for (const command of COMMANDS) {
    const help = await runSpandrel([command, "--help"]);
    assert.equal(help.code, 0, command);
    assert.match(help.stdout, /USAGE\n {2}spandrel/);
  }
});

const MISTAKES: readonly [words: string[], sentence: RegExp][] = [
  [["help", "trase"], /^Cannot run "trase": there is no such command; did you mean trace\?$/],
  [["trace", "--dration", "3s"], /^Cannot use --dration: .* did you mean --duration\?$/],
  [["trace", "--duration", "30x"], /^Cannot read --duration "30x": write it as 500ms, 30s/],
  [["trace", "--duration", "0s"], /^Cannot read --duration "0s": it must be longer/],
  [["trace", "--port", "70000"], /^Cannot read --port "70000": write a whole number from 1/],
  [["trace", "--keep", "much"], /^Cannot read --keep "much": give a time/],
  [["trace", "--protocol", "htpp"], /^Cannot show htpp: there is no such protocol here; known are/],
  [["trace", "curl", "-s"], /^Cannot take the argument "curl": .* goes after --$/],
  [["trace", "--"], /^Cannot run a command: there is none after --$/],
  [["trace", "--pcap", "/nowhere/x.pcap"], /^Cannot read capture file \/nowhere\/x.pcap: /],
  [["trace", "--replay", "/etc/passwd"], /^Cannot replay \/etc\/passwd: it is not a recording/],
  [["trace", "--pcap", "/etc/hostname"], /^Cannot read capture file \/etc\/hostname: /],
  [["trace", "--pcap", "a", "--replay", "b"], /^Cannot read two sources: /],
  [["trace", "--pcap", "a", "--pid", "1"], /^Cannot limit capture with --pid: /],
  [["trace", "--pcap", "a", "--", "true"], /^Cannot run a command: a file is read/],
  [["trace", "--json", "--", "true"], /^Cannot print spans beside the command's own output/],
  [["trace", "--tui"], /^Cannot show the live view: input and output are not a terminal$/],
  [["decode"], /^Cannot decode: no capture file is named; try `decode traffic.pcap`$/],
  [["decode", "a.pcap", "--pcap", "b.pcap"], /^Cannot decode a.pcap: --pcap names another file/],
  [["decode", "/nowhere/x.pcap"], /^Cannot read capture file \/nowhere\/x.pcap: /],
  [["record"], /^Cannot start without FILE: name it$/],
  [["sql", "SELECT 1"], /^Cannot start without --db: give it with a value$/],
  [["sql", "--db", "/nowhere/x.db", "SELECT 1"], /^Cannot open \/nowhere\/x.db: there is no such/],
  [["sql", "--db", "/etc/hostname", "SELECT 1"], /^Cannot open \/etc\/hostname: it is not a Duck/],
  [["export", "--db", "x", "--format", "xml"], /^Cannot read --format "xml": it is one of json/],
  [["export", "--db", "x", "--since", "noon"], /^Cannot read --since "noon": write how long ago/],
];

for (const [words, sentence] of MISTAKES) {
  e2e(`cli: ${words.join(" ")}: one sentence, exit code 2`, { needs: [] }, async () => {
    const { code, stdout, stderr } = await runSpandrel(words);
    assert.match(stderr.trimEnd(), sentence);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.equal(stdout, "");
    assert.equal(code, 2);
  });
}

e2e("cli: bash is told how to complete, and gets proposals", { needs: [] }, async () => {
  const { stdout } = await runSpandrel(["completion"]);
  assert.match(stdout, /^complete .* -F _spandrel /m);
  const propose = async (...words: string[]) =>
    (await runSpandrel(["completion", "--", ...words])).stdout.trim().split("\n");
  assert.deepEqual(await propose("tr"), ["trace"]);
  assert.deepEqual(await propose("trace", "--du"), ["--duration"]);
  assert.deepEqual(await propose("export", "--format", "ot"), ["otlp"]);
});

e2e("cli: without rights tracing is refused with the remedy", { needs: ["root"] }, async () => {
  const line = ["--bounding-set=-all", "--inh-caps=-all"];
  const command = new Deno.Command("setpriv", {
    args: [...line, ...commandLine(["trace", "--json", "--duration", "1s"])],
    env: { NO_COLOR: "1" },
  });
  const { code, stderr } = await command.output();
  const text = new TextDecoder().decode(stderr).trimEnd();
  assert.match(text, /^Cannot trace: this process may not load BPF programs; run it as root/);
  assert.equal(text.split("\n").length, 1, text);
  assert.equal(code, 2);
});
