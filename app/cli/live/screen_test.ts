// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { Screen } from "./screen.ts";

Deno.test("only lines that changed are written, all of them after a resize", () => {
  const written: string[] = [];
  using screen = new Screen((text) => written.push(text));
  const size = { columns: 10, rows: 3 };
  screen.draw(["a", "b", "c"], size);
  written.length = 0;
  screen.draw(["a", "b", "c"], size);
  assert.equal(written.length, 0);
  screen.draw(["a", "B", "c"], size);
  assert.equal(written.length, 1);
  assert.match(written.join(), /\[2;1HB/);
  assert.doesNotMatch(written.join(), /\[1;1H/);
  written.length = 0;
  screen.draw(["a", "B"], { columns: 20, rows: 2 });
  assert.match(written.join(), /\[2J.*\[1;1Ha/);
});

Deno.test("the terminal is given back once, and nothing is drawn afterwards", () => {
  let text = "";
  const screen = new Screen((part) => text += part);
  assert.ok(text.includes("\x1b[?1049h") && text.includes("\x1b[?25l"));
  screen[Symbol.dispose]();
  screen[Symbol.dispose]();
  screen.draw(["a"], { columns: 10, rows: 1 });
  assert.ok(text.endsWith("\x1b[?25h\x1b[?1049l"));
  assert.equal(text.split("\x1b[?1049l").length, 2);
});
