// SPDX-License-Identifier: Apache-2.0
// `completion`: proposals for the word being typed, and the bash line that asks for them.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";

export const completionCommand = buildCommand<Record<never, never>, string[], CliContext>({
  func: printCompletions,
  parameters: {
    positional: {
      kind: "array",
      parameter: { parse: String, brief: "Words typed so far", placeholder: "WORD" },
    },
  },
  docs: {
    brief: "Print the lines that teach bash to complete commands and options",
    customUsage: ["> ~/.local/share/bash-completion/completions/spandrel"],
  },
});

async function printCompletions(this: CliContext): Promise<void> {
  if (this.afterDashes === null) {
    this.process.stdout.write(BASH_LINES);
    return;
  }
  for (const word of await this.propose(this.afterDashes)) this.process.stdout.write(`${word}\n`);
}

const BASH_LINES = `_spandrel() {
  mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" completion -- "\${COMP_WORDS[@]:1:COMP_CWORD}")
}
complete -o default -F _spandrel spandrel ./spandrel
`;
