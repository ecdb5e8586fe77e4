// SPDX-License-Identifier: Apache-2.0
// A BPF object: opened from memory, its knobs set, loaded into the kernel, its programs attached.

import { BpfError, errnoText } from "./bpf_error.ts";
import { BpfMap } from "./bpf_map.ts";
import type { Libbpf } from "./libbpf.ts";
import { readAll } from "./host_files.ts";
import { cString, type Libc } from "./libc.ts";
import { linkUprobes, TRACE_UPROBE_MULTI } from "./runtimes/uprobe_multi.ts";

const LOG_BYTES = 1 << 20;
const PROG_INFO_BYTES = 232;
const RUN_TIME_STATS = 0;
const EVERY_PROCESS = -1;

/** Counters of one program since it was loaded; times only while statistics are on. */
export interface ProgramStats {
  readonly program: string;
  readonly runs: bigint;
  readonly runNs: bigint;
  /** Times it could not run because it was running on that core. */
  readonly recursionMisses: bigint;
}

/** What holds a program to its place in the kernel. */
interface Link {
  readonly destroy: () => void;
  /** On another thread. */
  readonly destroyApart: () => Promise<unknown>;
}

/** Owns the kernel's programs, maps and links; disposing detaches and frees all of them. */
export class BpfObject implements Disposable {
  readonly #libbpf: Libbpf;
  readonly #libc: Libc;
  /** Borrowed by libbpf until the object is closed. */
  readonly #log = new Uint8Array(LOG_BYTES);
  readonly #links = new Set<Link>();
  /** Programs that are attached to several places at once. */
  readonly #multiple = new Set<string>();
  #object: Deno.PointerValue;

  constructor(libbpf: Libbpf, libc: Libc, bytes: Uint8Array<ArrayBuffer>) {
    this.#libbpf = libbpf;
    this.#libc = libc;
    const size = BigInt(bytes.length);
    this.#object = libbpf.call.bpf_object__open_mem(bytes, size, openOptions(this.#log));
    if (this.#object === null) this.#fail("bpf_object__open_mem", "open the BPF object");
  }

  /** Memory of a section of variables before the load: `.rodata` holds the knobs. */
  initialValue(mapName: string): DataView {
    const size = new BigUint64Array(1);
    const at = this.#libbpf.call.bpf_map__initial_value(this.#map(mapName), size);
    if (at === null) this.#fail("bpf_map__initial_value", `set variables of ${mapName}`);
    return new DataView(Deno.UnsafePointerView.getArrayBuffer(at, Number(size[0])));
  }

  setMaxEntries(mapName: string, entries: number): void {
    this.#libbpf.call.bpf_map__set_max_entries(this.#map(mapName), entries);
  }

  /** A map that is not wanted is not created; programs that use it must not be loaded. */
  leaveOutMap(mapName: string): void {
    this.#libbpf.call.bpf_map__set_autocreate(this.#map(mapName), false);
  }

  leaveOutProgram(name: string): void {
    this.#libbpf.call.bpf_program__set_autoload(this.#program(name), false);
  }

  /** Before the load: `attachUprobes` is to attach the program by one link for all places. */
  useUprobeMulti(program: string): void {
    const { call } = this.#libbpf;
    call.bpf_program__set_expected_attach_type(this.#program(program), TRACE_UPROBE_MULTI);
    this.#multiple.add(program);
  }

  load(): void {
    const result = this.#libbpf.call.bpf_object__load(this.#object);
    if (result === 0) return;
    const said = textOf(this.#log).trimEnd().split("\n").slice(-3).join(" | ");
    throw new BpfError(
      `Cannot load the BPF programs: ${errnoText(-result)}${said === "" ? "" : `; ${said}`}`,
      -result,
      "bpf_object__load",
    );
  }

  map(name: string): BpfMap {
    const fd = this.#libbpf.call.bpf_map__fd(this.#map(name));
    return new BpfMap(this.#libbpf, fd, name);
  }

  /** Fills a program array: what tail calls jump to. */
  setProgramArray(mapName: string, programs: readonly string[]): void {
    const map = this.map(mapName);
    programs.forEach((name, i) => {
      const fd = this.#libbpf.call.bpf_program__fd(this.#program(name));
      map.update(new Uint32Array([i]), new Int32Array([fd]));
    });
  }

  /** Attaches where the program's section says. */
  attach(program: string): void {
    const link = this.#libbpf.call.bpf_program__attach(this.#program(program));
    if (link === null) this.#fail("bpf_program__attach", `attach ${program}`);
    this.#hold(link);
  }

  /** One program may be attached to many tracepoints. */
  attachTracepoint(program: string, category: string, tracepoint: string): void {
    const link = this.#libbpf.call.bpf_program__attach_tracepoint(
      this.#program(program),
      cString(category),
      cString(tracepoint),
    );
    if (link === null) {
      const doing = `attach ${program} to ${category}:${tracepoint}`;
      this.#fail("bpf_program__attach_tracepoint", doing);
    }
    this.#hold(link);
  }

  /** `path` is the folder of a cgroup v2; holds for the processes in it and below. */
  attachCgroup(program: string, path: string): void {
    const fd = this.#libc.call.open(cString(path), 0, 0);
    if (fd < 0) this.#fail("open", `attach ${program} to ${path}`);
    const link = this.#libbpf.call.bpf_program__attach_cgroup(this.#program(program), fd);
    this.#libc.call.close(fd);
    if (link === null) this.#fail("bpf_program__attach_cgroup", `attach ${program} to ${path}`);
    this.#hold(link);
  }

  /**
   * At bytes of a program file, in all processes that run it, until it is disposed: that takes a
   * tenth of a second for each but with uprobe_multi, and is done on another thread if it is
   * disposed asynchronously.
   */
  attachUprobes(
    program: string,
    path: string,
    offsets: readonly number[],
  ): Disposable & AsyncDisposable {
    const links = this.#multiple.has(program)
      ? [this.#attachTogether(program, path, offsets)]
      : offsets.map((offset) => this.#attachUprobe(program, path, offset));
    const held = () => links.filter((link) => this.#links.delete(link));
    return {
      [Symbol.dispose]: () => held().forEach((link) => link.destroy()),
      [Symbol.asyncDispose]: async () => {
        await Promise.all(held().map((link) => link.destroyApart()));
      },
    };
  }

  #attachTogether(program: string, path: string, offsets: readonly number[]): Link {
    const programFd = this.#libbpf.call.bpf_program__fd(this.#program(program));
    const fd = linkUprobes(this.#libc, programFd, path, offsets);
    const { close, close_apart } = this.#libc.call;
    const link = { destroy: () => void close(fd), destroyApart: () => close_apart(fd) };
    this.#links.add(link);
    return link;
  }

  #attachUprobe(program: string, path: string, offset: number): Link {
    const link = this.#libbpf.call.bpf_program__attach_uprobe(
      this.#program(program),
      false,
      EVERY_PROCESS,
      cString(path),
      BigInt(offset),
    );
    if (link === null) this.#fail("bpf_program__attach_uprobe", `attach ${program} to ${path}`);
    return this.#hold(link);
  }

  #hold(pointer: NonNullable<Deno.PointerValue>): Link {
    const { call, destroyApart } = this.#libbpf;
    const link = {
      destroy: () => void call.bpf_link__destroy(pointer),
      destroyApart: () => destroyApart(pointer),
    };
    this.#links.add(link);
    return link;
  }

  /**
   * Detaches everything, on other threads: the kernel takes up to a tenth of a second for each
   * system call's tracepoint and each breakpoint. Resolves when all is done.
   */
  async detachApart(): Promise<void> {
    const links = [...this.#links];
    this.#links.clear();
    await Promise.all(links.map((link) => link.destroyApart()));
  }

  /** Runs an iterator program once over all it iterates; returns what it wrote. */
  runIterator(program: string): Uint8Array {
    const { call } = this.#libbpf;
    const link = call.bpf_program__attach_iter(this.#program(program), null);
    if (link === null) this.#fail("bpf_program__attach_iter", `run ${program}`);
    const fd = call.bpf_iter_create(call.bpf_link__fd(link));
    try {
      if (fd < 0) this.#fail("bpf_iter_create", `run ${program}`);
      return readAll(this.#libc, fd);
    } finally {
      if (fd >= 0) this.#libc.call.close(fd);
      call.bpf_link__destroy(link);
    }
  }

  stats(program: string): ProgramStats {
    const fd = this.#libbpf.call.bpf_program__fd(this.#program(program));
    const info = new Uint8Array(PROG_INFO_BYTES);
    const bytes = new Uint32Array([PROG_INFO_BYTES]);
    const result = this.#libbpf.call.bpf_obj_get_info_by_fd(fd, info, bytes);
    const u64 = new BigUint64Array(info.buffer);
    if (result !== 0) return { program, runs: 0n, runNs: 0n, recursionMisses: 0n };
    return {
      program,
      runNs: u64[192 / 8] ?? 0n,
      runs: u64[200 / 8] ?? 0n,
      recursionMisses: u64[208 / 8] ?? 0n,
    };
  }

  /** The kernel counts runs and run time of all programs of the host until it is disposed. */
  enableStats(): Disposable {
    const fd = this.#libbpf.call.bpf_enable_stats(RUN_TIME_STATS);
    if (fd < 0) throw new BpfError("Cannot enable BPF statistics", -fd, "bpf_enable_stats");
    return { [Symbol.dispose]: () => void this.#libc.call.close(fd) };
  }

  [Symbol.dispose](): void {
    if (this.#object === null) return;
    for (const link of this.#links) link.destroy();
    this.#links.clear();
    this.#libbpf.call.bpf_object__close(this.#object);
    this.#object = null;
  }

  #program(name: string): NonNullable<Deno.PointerValue> {
    const found = this.#libbpf.call.bpf_object__find_program_by_name(this.#object, cString(name));
    if (found === null) throw new BpfError(`Cannot find BPF program ${name}`, 2, "find_program");
    return found;
  }

  #map(name: string): NonNullable<Deno.PointerValue> {
    const found = this.#libbpf.call.bpf_object__find_map_by_name(this.#object, cString(name));
    if (found === null) throw new BpfError(`Cannot find BPF map ${name}`, 2, "find_map");
    return found;
  }

  #fail(call: string, doing: string): never {
    const errno = this.#libc.errno();
    throw new BpfError(`Cannot ${doing}: ${errnoText(errno)}`, errno, call);
  }
}

/** struct bpf_object_open_opts with a buffer for the verifier's words when a load fails. */
function openOptions(log: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const options = new Uint8Array(80);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, BigInt(options.length), true);
  view.setBigUint64(56, BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(log))), true);
  view.setBigUint64(64, BigInt(log.length), true);
  return options;
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}
