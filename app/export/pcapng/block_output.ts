// SPDX-License-Identifier: Apache-2.0
// Where blocks go: a file or standard output, gathered into large writes.

import { Refusal } from "../../cli/context.ts";

export interface BlockOutput extends Disposable {
  readonly write: (block: Uint8Array) => void;
  readonly flush: () => void;
  /** Why blocks were lost, as a sentence; "" while none was. */
  readonly problem: () => string;
}

const BUFFER_BYTES = 1 << 20;

/** `whenGone` is called when nothing more can be written: `| head` has ended, the disk is full. */
export function openBlockOutput(path: string | undefined, whenGone: () => void): BlockOutput {
  if (path === undefined && Deno.stdout.isTerminal()) {
    throw new Refusal("Cannot write packets to a terminal: name a file with --output");
  }
  const file = path === undefined ? undefined : create(path);
  const stream = file ?? Deno.stdout;
  const buffer = new Uint8Array(BUFFER_BYTES);
  let used = 0, isGone = false, problem = "";

  const writeAll = (bytes: Uint8Array): void => {
    try {
      for (let at = 0; at < bytes.length && !isGone;) at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      isGone = true;
      if (!(error instanceof Deno.errors.BrokenPipe)) {
        problem = `Cannot write everything to ${path ?? "standard output"}: ${reasonOf(error)}`;
      }
      whenGone();
    }
  };
  const flush = (): void => {
    writeAll(buffer.subarray(0, used));
    used = 0;
  };
  return {
    write(block) {
      if (used + block.length > buffer.length) flush();
      if (block.length > buffer.length) return writeAll(block);
      buffer.set(block, used);
      used += block.length;
    },
    flush,
    problem: () => problem,
    [Symbol.dispose]: () => file?.close(),
  };
}

function create(path: string): Deno.FsFile {
  try {
    return Deno.createSync(path);
  } catch (error) {
    throw new Refusal(`Cannot write ${path}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its folder does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to write there";
  const message = error instanceof Error ? error.message : String(error);
  return /os error 28\b/.test(message) ? "no space left on the device" : message;
}
