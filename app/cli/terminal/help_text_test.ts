// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { helpText } from "./help_text.ts";

Deno.test("descriptions of options are broken between words, under each other", () => {
  const help =
    "USAGE\n  spandrel trace --duration 30s of a line that is long but is no option at all\n" +
    `     [--port]...  Capture sockets with this port at either end and nothing else      ` +
    "[separator = ,]\n" +
    "     [--timeout]  Give a statement up       [default = 30s]\n  -h  --help      Print help";
  assert.deepEqual(helpText(help, 60).split("\n"), [
    "USAGE",
    "  spandrel trace --duration 30s of a line that is long but is no option at all",
    "     [--port]...  Capture sockets with this port at either",
    "                  end and nothing else",
    "     [--timeout]  Give a statement up [default = 30s]",
    "  -h  --help      Print help",
  ]);
});

Deno.test("colours of options go, others stay; a narrow terminal is taken for a wider one", () => {
  const coloured = "\x1b[1mFLAGS\x1b[22m\n  \x1b[97m[--db]\x1b[39m  \x1b[3mA file\x1b[23m  ";
  assert.equal(helpText(coloured, 10), "\x1b[1mFLAGS\x1b[22m\n  [--db]  A file");
});
