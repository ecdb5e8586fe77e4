// SPDX-License-Identifier: Apache-2.0
// The entry of the program: words of the command line in, exit code out.

import { proposeCompletions, run } from "@stricli/core";
import { openApplication } from "./application.ts";
import { type CliContext, EXIT, type TextStream } from "./context.ts";
import { helpText } from "./terminal/help_text.ts";

if (import.meta.main) {
  // A deno task starts in the folder of deno.json; paths in its arguments mean the user's own.
  const folder = Deno.env.get("INIT_CWD");
  if (folder !== undefined) Deno.chdir(folder);
  Deno.exit(await main(Deno.args));
}

/** Runs one command to its end and returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const dashes = words.indexOf("--");
  const before = dashes < 0 ? words : words.slice(0, dashes);
  const app = openApplication();
  const isHelp = before.length === 0 || before.some((word) => word === "--help" || word === "-h");
  const context: CliContext = {
    process: {
      stdout: isHelp ? wrapped(textStream(Deno.stdout)) : textStream(Deno.stdout),
      stderr: textStream(Deno.stderr),
      env: Deno.env.get("NO_COLOR") ? { STRICLI_NO_COLOR: "1" } : {},
      exitCode: null as number | string | null,
    },
    afterDashes: dashes < 0 ? null : words.slice(dashes + 1),
    propose: async (words: readonly string[]) => {
      const proposals = await proposeCompletions(app, [...words], context);
      return proposals.map(({ completion }) => completion);
    },
  };
  await run(app, before.length === 0 ? ["--help"] : before, context);
  const code = Number(context.process.exitCode ?? EXIT.ok);
  return code < 0 ? EXIT.refused : code;
}

interface TerminalStream extends TextStream {
  getColorDepth(): number;
}

/** For the text of --help. */
function wrapped(stream: TerminalStream): TerminalStream {
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
  return { ...stream, write: (text) => stream.write(helpText(text, columns)) };
}

/** A reader that went away (`| head`) ends the program quietly, as it ends any other. */
function textStream(stream: typeof Deno.stdout): TerminalStream {
  const encoder = new TextEncoder();
  const writeBytes = (bytes: Uint8Array): void => {
    try {
      for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.ok);
      throw error;
    }
  };
  return {
    write: (text) => writeBytes(encoder.encode(text)),
    writeBytes,
    getColorDepth: () => stream.isTerminal() ? 8 : 1,
  };
}
