// SPDX-License-Identifier: Apache-2.0
// Writes a recording beside a running capture, which it never stops: what the disk does not take
// in time is counted and left out, and a full disk ends the recording, not the capture.

import { LIMITS } from "../../../model/limits.ts";
import {
  BLOCK_BYTES,
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  paddedBytes,
  sealBlock,
} from "./recording_block.ts";
import { encodeHeader, type RecordingHeader } from "./recording_header.ts";

/** What a recording is written to; `Deno.FsFile` is such. */
export interface ByteOutput {
  write(bytes: Uint8Array): Promise<number>;
  truncate(length: number): Promise<void>;
  close(): void;
}

/** Disposal writes what is left and closes the file; to do it twice does no harm. */
export interface RecordingWriter extends AsyncDisposable {
  /** Copies the record of `size` bytes at `at`. */
  append(bytes: Uint8Array, at: number, size: number): void;
  /** Hands what was gathered to the disk, so that a reader of the growing file sees it. */
  flush(): void;
  readonly progress: RecordingProgress;
}

export interface RecordingProgress {
  readonly bytesWritten: number;
  readonly recordsWritten: number;
  /** Records that are not in the file: the disk was too slow or refused. */
  readonly recordsLost: number;
  /** Why the recording ended early, a sentence; null while it goes on. */
  readonly problem: string | null;
}

const QUEUE_BLOCKS_MAX = LIMITS.recordingQueue.value / BLOCK_BYTES;

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly records: number;
}

/** Creates or replaces the file, readable by its owner only: see recording_header.ts. */
export async function createRecording(
  path: string,
  header: RecordingHeader,
): Promise<RecordingWriter> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  } catch (error) {
    throw new Error(`Cannot record to ${path}: ${reasonOf(error)}`, { cause: error });
  }
  return writeRecording(file, header, path);
}

/** The same over any output; `name` stands in messages. */
export function writeRecording(
  output: ByteOutput,
  header: RecordingHeader,
  name: string,
): RecordingWriter {
  return new QueueingWriter(output, encodeHeader(header), name);
}

class QueueingWriter implements RecordingWriter {
  readonly progress = { bytesWritten: 0, recordsWritten: 0, recordsLost: 0, problem: null } as {
    -readonly [P in keyof RecordingProgress]: RecordingProgress[P];
  };
  readonly #output: ByteOutput;
  readonly #name: string;
  readonly #queue: Block[] = [];
  #writing: Promise<void> | null = null;
  #block = new Uint8Array(BLOCK_BYTES);
  #used = BLOCK_HEADER_BYTES;
  #records = 0;
  #closed = false;

  constructor(output: ByteOutput, header: Uint8Array<ArrayBuffer>, name: string) {
    this.#output = output;
    this.#name = name;
    this.#enqueue({ bytes: header, records: 0 });
  }

  append(bytes: Uint8Array, at: number, size: number): void {
    const room = paddedBytes(size);
    if (
      this.#closed || this.progress.problem !== null || room > BLOCK_BYTES_MAX - BLOCK_HEADER_BYTES
    ) {
      this.progress.recordsLost++;
      return;
    }
    if (this.#used + room > this.#block.length) {
      this.flush();
      if (BLOCK_HEADER_BYTES + room > this.#block.length) {
        this.#block = new Uint8Array(BLOCK_HEADER_BYTES + room);
      }
    }
    this.#block.set(bytes.subarray(at, at + size), this.#used);
    this.#used += room;
    this.#records++;
  }

  flush(): void {
    if (this.#records === 0) return;
    const bytes = this.#block.slice(0, this.#used);
    sealBlock(bytes, this.#records);
    this.#enqueue({ bytes, records: this.#records });
    this.#block = this.#block.length > BLOCK_BYTES
      ? new Uint8Array(BLOCK_BYTES)
      : this.#block.fill(0, 0, this.#used);
    this.#used = BLOCK_HEADER_BYTES;
    this.#records = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.flush();
    await this.#writing;
    this.#output.close();
  }

  #enqueue(block: Block): void {
    if (this.progress.problem !== null || this.#queue.length >= QUEUE_BLOCKS_MAX) {
      this.progress.recordsLost += block.records;
      return;
    }
    this.#queue.push(block);
    this.#writing ??= this.#work();
  }

  async #work(): Promise<void> {
    for (let block = this.#queue.shift(); block !== undefined; block = this.#queue.shift()) {
      try {
        await writeAll(this.#output, block.bytes);
        this.progress.bytesWritten += block.bytes.length;
        this.progress.recordsWritten += block.records;
      } catch (error) {
        this.progress.recordsLost += block.records;
        await this.#giveUp(error);
      }
    }
    this.#writing = null;
  }

  /** Cuts off the block that was half written; what is in the file before it stays readable. */
  async #giveUp(error: unknown): Promise<void> {
    const { progress } = this;
    const size = `${(progress.bytesWritten / 1e6).toFixed(1)} MB`;
    progress.problem = `Cannot go on recording to ${this.#name}: ${reasonOf(error)}; ` +
      `the first ${size} are kept and can be replayed`;
    for (const block of this.#queue.splice(0)) progress.recordsLost += block.records;
    try {
      await this.#output.truncate(progress.bytesWritten);
    } catch {
      // Readers pass over a block that is cut.
    }
  }
}

async function writeAll(output: ByteOutput, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await output.write(bytes.subarray(at));
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its folder does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to write there";
  if (error instanceof Deno.errors.NotCapable) return "this program may not write there";
  const message = error instanceof Error ? error.message : String(error);
  if (/ENOSPC|os error 28\b|No space left/i.test(message)) return "no space left on the device";
  return message;
}
