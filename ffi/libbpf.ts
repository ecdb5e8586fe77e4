// SPDX-License-Identifier: Apache-2.0
// libbpf through the foreign function interface: where it is looked for, and what is called.

import { BpfError } from "./bpf_error.ts";

const SYMBOLS = {
  libbpf_major_version: { parameters: [], result: "u32" },
  libbpf_minor_version: { parameters: [], result: "u32" },
  libbpf_set_print: { parameters: ["pointer"], result: "pointer" },
  libbpf_probe_bpf_map_type: { parameters: ["i32", "pointer"], result: "i32" },
  libbpf_num_possible_cpus: { parameters: [], result: "i32" },
  bpf_object__open_mem: { parameters: ["buffer", "usize", "buffer"], result: "pointer" },
  bpf_object__load: { parameters: ["pointer"], result: "i32" },
  bpf_object__close: { parameters: ["pointer"], result: "void" },
  bpf_object__find_program_by_name: { parameters: ["pointer", "buffer"], result: "pointer" },
  bpf_object__find_map_by_name: { parameters: ["pointer", "buffer"], result: "pointer" },
  bpf_program__set_autoload: { parameters: ["pointer", "bool"], result: "i32" },
  bpf_program__set_expected_attach_type: { parameters: ["pointer", "u32"], result: "i32" },
  bpf_program__fd: { parameters: ["pointer"], result: "i32" },
  bpf_program__attach: { parameters: ["pointer"], result: "pointer" },
  bpf_program__attach_tracepoint: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "pointer",
  },
  bpf_program__attach_iter: { parameters: ["pointer", "pointer"], result: "pointer" },
  bpf_program__attach_uprobe: {
    parameters: ["pointer", "bool", "i32", "buffer", "usize"],
    result: "pointer",
  },
  bpf_program__attach_cgroup: { parameters: ["pointer", "i32"], result: "pointer" },
  bpf_link__fd: { parameters: ["pointer"], result: "i32" },
  bpf_link__destroy: { parameters: ["pointer"], result: "i32" },
  destroy_link_apart: {
    name: "bpf_link__destroy",
    parameters: ["pointer"],
    result: "i32",
    nonblocking: true,
  },
  bpf_iter_create: { parameters: ["i32"], result: "i32" },
  bpf_map__fd: { parameters: ["pointer"], result: "i32" },
  bpf_map__set_max_entries: { parameters: ["pointer", "u32"], result: "i32" },
  bpf_map__set_autocreate: { parameters: ["pointer", "bool"], result: "i32" },
  bpf_map__initial_value: { parameters: ["pointer", "buffer"], result: "pointer" },
  bpf_map_lookup_elem: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  bpf_map_update_elem: { parameters: ["i32", "buffer", "buffer", "u64"], result: "i32" },
  bpf_map_delete_elem: { parameters: ["i32", "buffer"], result: "i32" },
  bpf_enable_stats: { parameters: ["i32"], result: "i32" },
  bpf_obj_get_info_by_fd: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  btf__load_vmlinux_btf: { parameters: [], result: "pointer" },
  btf__find_by_name_kind: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  btf__free: { parameters: ["pointer"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

type Functions = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

export interface Libbpf extends Disposable {
  readonly call: Functions;
  /** On another thread: to take a uprobe away takes a tenth of a second. */
  destroyApart(link: NonNullable<Deno.PointerValue>): Promise<void>;
  /** Where it was found. */
  readonly path: string;
  /** "1.1" */
  readonly version: string;
}

const FILE = "libbpf.so.1";

/** Absolute directories of the common distributions, the multiarch ones of Debian first. */
const DIRECTORIES = [
  "/usr/lib/x86_64-linux-gnu",
  "/lib/x86_64-linux-gnu",
  "/usr/lib64",
  "/lib64",
  "/usr/local/lib64",
  "/usr/local/lib",
  "/usr/lib",
  "/lib",
] as const;

/** Throws BpfError when libbpf 1.0 or newer is not to be found. */
export function openLibbpf(directories: readonly string[] = DIRECTORIES): Libbpf {
  for (const directory of directories) {
    const path = `${directory}/${FILE}`;
    const library = tryOpen(path);
    if (library === undefined) continue;
    const { symbols } = library;
    symbols.libbpf_set_print(null);
    const version = `${symbols.libbpf_major_version()}.${symbols.libbpf_minor_version()}`;
    return { path, version, ...callsOf(library) };
  }
  const old = directories.some((directory) => isThere(`${directory}/libbpf.so.0`));
  throw new BpfError(
    `Cannot load ${FILE}: ${old ? "only libbpf 0.x" : "nothing of that name"} is in ` +
      `${directories.join(", ")}; install libbpf 1.0 or newer ` +
      "(Debian, Ubuntu: apt install libbpf1; Fedora: dnf install libbpf)",
    2,
    "dlopen",
  );
}

/** The library stays open for what still runs on other threads. */
function callsOf(library: Deno.DynamicLibrary<typeof SYMBOLS>) {
  const { symbols } = library;
  let running = 0;
  let isDisposed = false;
  return {
    call: symbols,
    async destroyApart(link: NonNullable<Deno.PointerValue>): Promise<void> {
      running++;
      await symbols.destroy_link_apart(link);
      running--;
      if (isDisposed && running === 0) library.close();
    },
    [Symbol.dispose](): void {
      isDisposed = true;
      if (running === 0) library.close();
    },
  };
}

function isThere(path: string): boolean {
  try {
    Deno.dlopen(path, {}).close();
    return true;
  } catch {
    return false;
  }
}

function tryOpen(path: string): Deno.DynamicLibrary<typeof SYMBOLS> | undefined {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const text = error instanceof Error ? error.message : String(error);
    if (text.includes("No such file")) return undefined;
    throw new BpfError(`Cannot load ${path}: ${text}`, 0, "dlopen");
  }
}
