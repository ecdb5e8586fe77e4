// SPDX-License-Identifier: Apache-2.0
// A terminal for programs with a screen: tmux runs one, tests read its picture and type into it.

import { runToEnd } from "./child.ts";
import { until } from "./deadline.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

export interface Terminal extends AsyncDisposable {
  /** The screen as lines of text, without trailing spaces. */
  screen(): Promise<string>;
  /** Waits until the screen matches; returns it. */
  screenWith(pattern: RegExp, deadlineMs?: number): Promise<string>;
  /** Types text or named keys: "q", "Enter", "C-c", "Up". */
  press(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** The exit code once the program has ended. */
  ended(): Promise<number>;
}

let opened = 0;

/** Leaves the program's exit code in a file: tmux now and then loses it. Ctrl-C is for it alone. */
const recordExit = `trap : INT; file=$1; shift; "$@"; printf '%s\\n' $? >"$file"`;

export function openTerminal(
  command: readonly string[],
  { columns = 100, rows = 30, env = {} }: {
    columns?: number;
    rows?: number;
    env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Terminal> {
  return inTemporaryFolder("terminal", async (folder) => {
    // A server of its own, so that closing it ends nothing else; nobody's settings apply.
    const server = ["-L", `spandrel-${Deno.pid}-${opened++}`, "-f", "/dev/null"];
    const tmux = (...args: string[]) => runToEnd("tmux", { args: [...server, ...args] });
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const settings = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const exitFile = `${folder}/exit`;
    await runToEnd("tmux", {
      args: [
        ...server,
        ...["set-option", "-g", "remain-on-exit", "on", ";"],
        ...["new-session", "-d", ...size, ...settings, "--"],
        ...["sh", "-c", recordExit, "sh", exitFile, ...command],
      ],
      env: { TERM: "xterm-256color", LC_ALL: "C.UTF-8" },
    });
    const screen = async () => (await tmux("capture-pane", "-p")).replace(/[ \n]+$/, "");
    return {
      screen,
      screenWith: (pattern, deadlineMs) =>
        until(`${pattern} on the screen`, async () => {
          const text = await screen();
          return pattern.test(text) && text;
        }, deadlineMs),
      // A semicolon at the end of a word would end tmux's own command.
      press: async (...keys) =>
        void await tmux("send-keys", ...keys.map((key) => key.replace(/;$/, "\\;"))),
      resize: async (x, y) => void await tmux("resize-window", "-x", `${x}`, "-y", `${y}`),
      ended: async () => Number(await until("the program end", () => exitCode(exitFile))),
      [Symbol.asyncDispose]: async () => void await tmux("kill-server"),
    };
  });
}

/** What the program's shell wrote when it ended; undefined before. */
async function exitCode(file: string): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(file);
    return text.endsWith("\n") ? text : undefined;
  } catch {
    return undefined;
  }
}
