// SPDX-License-Identifier: Apache-2.0
// The files of a database, given to the WebAssembly engine. The package's own file access cannot
// reopen a database, appends at the wrong place and never syncs; this one knows two files (the
// database and its log, `.wal`), and leaves syncing and truncating to whoever commits.

import type * as duckdb from "@duckdb/duckdb-wasm/blocking";

type Package = typeof duckdb;

/** The engine's memory, which the package's types leave out. Views die whenever it grows. */
interface Module extends duckdb.DuckDBModule {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  readonly HEAPF64: Float64Array<ArrayBuffer>;
  _malloc(bytes: number): number;
}

export interface FileLayer extends Disposable {
  /** What the engine calls. */
  readonly runtime: duckdb.DuckDBRuntime;
  /** Makes all that was written to the log durable (about 7 ms on a disk). */
  syncLog(): void;
  /** After a checkpoint: the database first, then the log that is no longer needed. */
  syncAndEmptyLog(): void;
  /** Keeps copying readers out while `work` runs; false, without running it, if one is at it. */
  whileAlone(work: () => void): boolean;
  logBytes(): number;
}

/** Flag bits of the engine's open call; the package exports them as an enum, loaded too late. */
const APPEND = 1 << 5;
const NULL_IF_NOT_EXISTS = 1 << 7;
/** The engine's word for "a file of the operating system". */
const NATIVE_FILE = 1;

interface OpenFile {
  readonly file: Deno.FsFile;
  readonly path: string;
  /** Writes go to the end of the file, wherever the engine believes that to be. */
  readonly isAppend: boolean;
}

export function logPath(path: string): string {
  return `${path}.wal`;
}

export function openFileLayer(
  pkg: Package,
  path: string | undefined,
  readOnly: boolean,
): FileLayer {
  const open = new Map<number, OpenFile>();
  const known = path === undefined ? [] : [path, logPath(path)];
  const fileOf = (id: number) => {
    const found = open.get(id);
    if (found === undefined) throw new Error(`Cannot use file ${id}: it is not open`);
    return found;
  };
  /** An exception of ours must reach the engine as one of its own, or it would tear its state. */
  const guarded = <T>(mod: Module, fallback: T, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      // Not the package's failWith: that one prints to standard output first.
      const reason = error instanceof Error ? error.message : String(error);
      mod.ccall("duckdb_web_fail_with", null, ["string"], [reason]);
      return fallback;
    }
  };
  const openFile = (mod: Module, id: number, flags: number): number =>
    guarded(mod, 0, () => {
      const name = nameOf(pkg, mod, id);
      if (!known.includes(name)) throw new Error(`Cannot open ${name}: not a file of this store`);
      if ((flags & NULL_IF_NOT_EXISTS) !== 0 && sizeOf(name) === undefined) return 0;
      // The engine opens a file again after a checkpoint, without having closed it.
      const file = open.get(id)?.file ??
        Deno.openSync(name, { read: true, write: !readOnly, create: !readOnly });
      open.set(id, { file, path: name, isAppend: (flags & APPEND) !== 0 });
      const result = mod._malloc(16);
      mod.HEAPF64[result >> 3] = file.statSync().size;
      mod.HEAPF64[(result >> 3) + 1] = 0;
      return result;
    });
  const log = () => [...open.values()].filter((f) => path !== undefined && f.path !== path);
  const runtime: duckdb.DuckDBRuntime = {
    ...pkg.DEFAULT_RUNTIME,
    _udfFunctions: new Map(),
    testPlatformFeature: (_, feature) => feature === 1,
    getDefaultDataProtocol: () => NATIVE_FILE,
    openFile,
    closeFile: (_, id) => {
      open.get(id)?.file.close();
      open.delete(id);
    },
    truncateFile: (mod: Module, id, size) =>
      guarded(mod, undefined, () => fileOf(id).file.truncateSync(size)),
    readFile: (mod: Module, id, buffer, bytes, location) =>
      guarded(mod, 0, () => {
        const { file, path: name } = fileOf(id);
        const done = readAt(file, mod.HEAPU8.subarray(buffer, buffer + bytes), location);
        // The engine would ask again for ever; at the end of its log it may come to nothing.
        if (done < bytes && name === path) throw new Error("Corrupt database file: cut short");
        return done;
      }),
    writeFile: (mod: Module, id, buffer, bytes, location) =>
      guarded(mod, 0, () => {
        const { file, isAppend } = fileOf(id);
        const from = mod.HEAPU8.subarray(buffer, buffer + bytes);
        return writeAt(file, from, isAppend ? "end" : location);
      }),
    getLastFileModificationTime: (mod: Module, id) =>
      guarded(mod, 0, () => (fileOf(id).file.statSync().mtime?.getTime() ?? 0) / 1000),
    checkFile: (mod: Module, pointer, length) => {
      const name = pkg.readString(mod, pointer, length);
      return known.includes(name) && sizeOf(name) !== undefined;
    },
  };
  return {
    runtime,
    syncLog: () => log().forEach(({ file }) => file.syncDataSync()),
    syncAndEmptyLog: () => {
      if (path === undefined) return;
      for (const { file, path: name } of open.values()) if (name === path) file.syncDataSync();
      if ((sizeOf(logPath(path)) ?? 0) === 0) return;
      Deno.truncateSync(logPath(path), 0);
      log().forEach(({ file }) => file.syncDataSync());
    },
    whileAlone: (work) => {
      const file = [...open.values()].find((f) => f.path === path)?.file;
      if (file !== undefined && !file.tryLockSync(true)) return false;
      try {
        work();
      } finally {
        file?.unlockSync();
      }
      return true;
    },
    logBytes: () => path === undefined ? 0 : sizeOf(logPath(path)) ?? 0,
    [Symbol.dispose]: () => {
      for (const { file } of open.values()) file.close();
      open.clear();
      if (path !== undefined && !readOnly && sizeOf(logPath(path)) === 0) {
        Deno.removeSync(logPath(path));
      }
    },
  };
}

/** Bytes read; fewer than asked for at the end of the file. */
function readAt(file: Deno.FsFile, into: Uint8Array, location: number): number {
  file.seekSync(location, Deno.SeekMode.Start);
  let done = 0;
  while (done < into.length) {
    const n = file.readSync(into.subarray(done));
    if (n === null) break;
    done += n;
  }
  return done;
}

function writeAt(file: Deno.FsFile, from: Uint8Array, location: number | "end"): number {
  if (location === "end") file.seekSync(0, Deno.SeekMode.End);
  else file.seekSync(location, Deno.SeekMode.Start);
  let done = 0;
  while (done < from.length) done += file.writeSync(from.subarray(done));
  return done;
}

/** The path behind an id of the engine, which answers with a JSON text in its own memory. */
function nameOf(pkg: Package, mod: Module, id: number): string {
  const call = "duckdb_web_fs_get_file_info_by_id";
  const [status, pointer, length] = pkg.callSRet(mod, call, ["number", "number"], [id, 0]);
  const text = pkg.readString(mod, pointer, length);
  pkg.dropResponseBuffers(mod);
  if (status !== 0) throw new Error(text);
  const info: duckdb.DuckDBFileInfo = JSON.parse(text);
  return info.dataUrl ?? info.fileName;
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
