// SPDX-License-Identifier: Apache-2.0
// Who may use a database file: one writer, told by a lock on a side file (`.lock`), or any number
// of readers. A reader that comes while a trace writes gets a copy of how the file is now.

import { logPath } from "./worker/file_layer.ts";
import { plainReason } from "./problems.ts";

export interface FileAccess extends AsyncDisposable {
  /** The file to open: the one asked for, or a copy that goes when this is disposed. */
  readonly path: string;
}

export async function acquireFile(path: string, readOnly: boolean): Promise<FileAccess> {
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  const size = checkFile(absolute, readOnly);
  const lock = lockFile(absolute, readOnly);
  if (lock === "held" && readOnly) return await copyFile(absolute);
  if (lock === "held") {
    const holder = readHolder(absolute);
    throw new Error(
      `process ${holder} is using it; stop that one first, or give another path`,
    );
  }
  if (size === 0) Deno.removeSync(absolute);
  return {
    path: absolute,
    [Symbol.asyncDispose]: () => {
      if (lock !== undefined) unlock(absolute, lock);
      return Promise.resolve();
    },
  };
}

export function lockPath(path: string): string {
  return `${path}.lock`;
}

/** Size of the file, undefined if it is to be created; throws the reason why it cannot be used. */
function checkFile(path: string, readOnly: boolean): number | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw new Error(plainReason(error));
    if (readOnly) throw new Error("there is no such file");
    return undefined;
  }
  if (info.isDirectory) throw new Error("it is a directory; name a file in it");
  if (!info.isFile) throw new Error("it is not a regular file");
  if (info.size === 0 && readOnly) throw new Error("it is empty");
  if (info.size > 0 && !hasMagic(path)) throw new Error("it is not a DuckDB database");
  if (info.size > 0 && info.size < HEADER_BYTES) {
    throw new Error(plainReason("Corrupt database file: cut short"));
  }
  return info.size;
}

/** Three blocks of 4 KiB, in every DuckDB file. */
const HEADER_BYTES = 12_288;

/** A DuckDB file has a checksum of 8 bytes, then four letters. */
function hasMagic(path: string): boolean {
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(12);
    file.readSync(head);
    return new TextDecoder().decode(head.subarray(8)) === "DUCK";
  } catch (error) {
    throw new Error(plainReason(error));
  }
}

/** The lock goes with the process, however it ends. Undefined: a reader where none can be made. */
function lockFile(path: string, readOnly: boolean): Deno.FsFile | "held" | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(lockPath(path), { read: true, write: true, create: true });
  } catch (error) {
    if (readOnly) return undefined;
    throw new Error(plainReason(error));
  }
  if (!file.tryLockSync(!readOnly)) {
    file.close();
    return "held";
  }
  if (!isAt(lockPath(path), file)) {
    // Whoever held it has just removed it: a lock on a file without a name keeps nobody out.
    file.close();
    return lockFile(path, readOnly);
  }
  if (!readOnly) {
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
  }
  return file;
}

/** The last one to leave removes the file. */
function unlock(path: string, file: Deno.FsFile): void {
  if (file.tryLockSync(true) && isAt(lockPath(path), file)) Deno.removeSync(lockPath(path));
  file.close();
}

function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    return Deno.statSync(path).ino === file.statSync().ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function readHolder(path: string): string {
  try {
    return Deno.readTextFileSync(lockPath(path)).trim() || "another";
  } catch {
    return "another";
  }
}

/** The lock on the database file itself holds off checkpoints while it and its log are copied. */
async function copyFile(path: string): Promise<FileAccess> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-copy-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  const copy = `${folder}/${path.slice(path.lastIndexOf("/") + 1)}`;
  try {
    using file = await Deno.open(path);
    await file.lock(false);
    await Deno.copyFile(path, copy);
    await Deno.copyFile(logPath(path), logPath(copy)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  } catch (error) {
    await remove();
    throw new Error(`a trace writes it, and no copy could be made: ${plainReason(error)}`);
  }
  return { path: copy, [Symbol.asyncDispose]: remove };
}
