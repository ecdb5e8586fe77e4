// SPDX-License-Identifier: Apache-2.0
// What every command gets as `this`: the two streams, the exit code, and what stood after `--`.

import type { StricliProcess } from "@stricli/core";

export interface CliContext {
  readonly process: StricliProcess & { readonly stdout: TextStream };
  /** The words after a free-standing `--`; null when there was none. */
  readonly afterDashes: readonly string[] | null;
  /** What the last of these words may become, for completion in a shell. */
  readonly propose: (words: readonly string[]) => Promise<readonly string[]>;
}

/** A stream of text that takes it as bytes as well; both are written before the call returns. */
export interface TextStream {
  write(text: string): void;
  writeBytes(bytes: Uint8Array): void;
}

/** Exit codes of all commands. `trace -- COMMAND` gives the command's own where it has run. */
export const EXIT = { ok: 0, failed: 1, refused: 2 } as const;

/** The user asked for what cannot be done: shown as one sentence, exit code 2. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
