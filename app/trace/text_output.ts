// SPDX-License-Identifier: Apache-2.0
// Where lines go: standard output or a file, in batches, without holding up capture.

import type { AsyncSink } from "../../engine/sink.ts";
import { Refusal } from "../cli/context.ts";
import { LineBytes } from "../export/line_bytes.ts";

export interface TextOutput extends AsyncDisposable {
  readonly isTerminal: boolean;
  /** One at a time: resolves when the text is written. Once the reader has gone it does nothing. */
  readonly write: (text: string) => Promise<void>;
  /** The same for bytes, which are borrowed until it resolves. */
  readonly writeBytes: (bytes: Uint8Array) => Promise<void>;
  /** Why text was lost, as a sentence; "" while none was. */
  readonly problem: () => string;
}

/** `whenGone` is called once when the reader of standard output has gone (`| head`). */
export async function openTextOutput(
  path: string | undefined,
  whenGone: () => void,
): Promise<TextOutput> {
  const file = path === undefined ? undefined : await create(path);
  const stream = file ?? Deno.stdout;
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(TEXT_BYTES_MAX);
  let isGone = false;
  let problem = "";
  async function writeBytes(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length && !isGone;) {
        at += await stream.write(bytes.subarray(at));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) {
        problem ||= tellLoss(path ?? "standard output", error);
        throw error;
      }
      isGone = true;
      whenGone();
    }
  }
  return {
    isTerminal: stream.isTerminal(),
    problem: () => problem,
    writeBytes,
    async write(text) {
      for (let rest = text; rest.length > 0 && !isGone;) {
        const { read, written } = encoder.encodeInto(rest, buffer);
        rest = rest.slice(read);
        await writeBytes(buffer.subarray(0, written));
      }
    },
    [Symbol.asyncDispose]() {
      file?.close();
      return Promise.resolve();
    },
  };
}

async function create(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.create(path);
  } catch (error) {
    throw new Refusal(`Cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** Told at once: capture goes on, perhaps for hours. */
function tellLoss(name: string, error: unknown): string {
  const problem = `Cannot write everything to ${name}: ${reasonOf(error)}`;
  console.error(problem);
  return problem;
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its folder does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to write there";
  if (error instanceof Deno.errors.NotCapable) return "this program may not write there";
  const message = error instanceof Error ? error.message : String(error);
  if (/os error 28\b/.test(message)) return "no space left on the device";
  if (/os error 30\b/.test(message)) return "its file system is read-only";
  return message.replace(/: open '.*$/, "");
}

/** Of text in one system call. One buffer for all: a new one for each batch costs much memory. */
const TEXT_BYTES_MAX = 262_144;

/**
 * Records that wait, and those of one write. From a file few: what waits long outlives the young
 * generation, and to collect it costs as much as to write it. Live, seconds of a busy host.
 */
const QUEUE = {
  block: { recordsMax: 1_024, batchRecordsMax: 256 },
  drop: { recordsMax: 32_768, batchRecordsMax: 1_000 },
} as const;

/** A sink that writes one text per record. A live source drops what a slow reader does not take. */
export function textSink<T>(
  name: string,
  output: TextOutput,
  textOf: (record: T) => string,
  whenFull: "block" | "drop",
): AsyncSink<T> {
  return {
    kind: "async_sink",
    name,
    limits: [],
    queue: { ...QUEUE[whenFull], whenFull, batchWaitMs: 50 },
    open: () => ({
      write: (records) => output.write(records.map(textOf).join("")),
      end: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  };
}

/**
 * The same for records that are written as bytes. As bytes they wait as well: what waits as objects
 * is moved into the old generation, and makes the heap three times as large.
 */
export function byteSink<T>(
  name: string,
  output: TextOutput,
  writeLine: (record: T, line: LineBytes) => void,
  whenFull: "block" | "drop",
): AsyncSink<T> {
  return {
    kind: "async_sink",
    name,
    limits: [],
    queue: { ...QUEUE[whenFull], whenFull, batchWaitMs: 50 },
    open: () => {
      let filling = new LineBytes();
      let writing = new LineBytes();
      return {
        take: (record) => writeLine(record, filling),
        // All lines in one call: a busy run comes to write once in a turn of its loop.
        write: async () => {
          [filling, writing] = [writing, filling];
          filling.clear();
          await output.writeBytes(writing.written());
        },
        end: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  };
}
