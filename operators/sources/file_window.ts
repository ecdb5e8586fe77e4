// SPDX-License-Identifier: Apache-2.0
// A sliding window over the bytes of a file or pipe: what is read but not yet consumed.

/** What a window reads from; `Deno.FsFile` and `Deno.stdin` are such. */
export interface ByteInput {
  readSync(into: Uint8Array): number | null;
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
}

const CHUNK_BYTES = 1 << 20;

/**
 * Unconsumed bytes are `bytes[start..end)`. Subarrays of `bytes` are borrowed: they hold until the
 * next fill. The window grows to the longest unit that was asked for with `has`.
 */
export class FileWindow implements Disposable {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of all `bytes`. */
  view: DataView<ArrayBuffer>;
  start = 0;
  end = 0;
  /** The input has no more bytes; what lies in the window is all there is. */
  ended = false;
  /** Bytes before `start` in the input. */
  position = 0;
  readonly #input: ByteInput;
  readonly #chunkBytes: number;
  #wanted = 0;

  constructor(input: ByteInput, chunkBytes = CHUNK_BYTES) {
    this.#input = input;
    this.#chunkBytes = chunkBytes;
    this.bytes = new Uint8Array(chunkBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** True when at least `count` bytes are there; otherwise the next fill makes room for them. */
  has(count: number): boolean {
    if (this.end - this.start >= count) return true;
    this.#wanted = count;
    return false;
  }

  consume(count: number): void {
    this.start += count;
    this.position += count;
  }

  /** Reads until `count` bytes are there; false when the input ends before. */
  fillSync(count: number): boolean {
    while (!this.has(count) && !this.ended) {
      this.#room();
      this.#took(this.#input.readSync(this.bytes.subarray(this.end)));
    }
    return this.end - this.start >= count;
  }

  /** Reads once, as much as there is room for. */
  async fill(): Promise<void> {
    if (this.ended) return;
    this.#room();
    this.#took(await this.#input.read(this.bytes.subarray(this.end)));
  }

  [Symbol.dispose](): void {
    this.#input.close();
  }

  #took(count: number | null): void {
    if (count === null) this.ended = true;
    else this.end += count;
  }

  /**
   * Moves the unconsumed bytes to the front, of a larger buffer where the wanted unit needs one.
   */
  #room(): void {
    const held = this.bytes.subarray(this.start, this.end);
    const needed = Math.max(this.#wanted, held.length + 1);
    if (needed > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(needed, this.#chunkBytes));
      this.view = new DataView(this.bytes.buffer);
      this.bytes.set(held);
    } else if (this.start > 0) this.bytes.set(held);
    this.start = 0;
    this.end = held.length;
    this.#wanted = 0;
  }
}

/** Opens a file, or standard input for "-". Throws one clear sentence when that cannot be done. */
export function openInput(path: string, what: string): ByteInput {
  if (path === "-") return Deno.stdin;
  try {
    const file = Deno.openSync(path);
    if (!file.statSync().isDirectory) return file;
    file.close();
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "no such file"
      : error instanceof Deno.errors.PermissionDenied
      ? "no permission to read it"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new Error(`Cannot read ${what} ${path}: ${reason}`, { cause: error });
  }
  throw new Error(`Cannot read ${what} ${path}: it is a directory, name a file in it`);
}
