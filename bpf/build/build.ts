// SPDX-License-Identifier: Apache-2.0
// `deno task bpf`: builds the BPF objects and event.gen.ts. With --check it compares and writes
// nothing.

import { eventLayout } from "./event_layout.ts";

/** The compiler that made the objects that are checked in; others make other bytes. */
const CLANG = "14.0.6";

/** spandrel holds the tracer's programs, floor those it is measured against. */
const OBJECTS = ["spandrel", "floor"] as const;

const FLAGS = [
  "-g",
  "-O2",
  "-Wall",
  "-Werror",
  "-target",
  "bpf",
  "-mcpu=v3",
  "-D__TARGET_ARCH_x86",
  // Line info would hold the absolute path, and no two builds would agree.
  "-ffile-prefix-map=${PWD}=.",
];

if (import.meta.main) {
  const folder = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  Deno.exitCode = await buildBpf(folder, Deno.args.includes("--check"));
}

/** Returns the exit code: 0 done or equal, 1 different, 2 cannot build. */
export async function buildBpf(folder: string, check: boolean): Promise<number> {
  const version = await clangVersion();
  if (version === undefined) {
    console.error("Cannot build the BPF objects: clang is not installed; apt install clang llvm");
    return 2;
  }
  const built = new Map<string, Uint8Array>();
  for (const name of OBJECTS) built.set(`${name}.bpf.o`, await compile(folder, name));
  const layout = eventLayout(built.get("spandrel.bpf.o") ?? new Uint8Array());
  built.set("event.gen.ts", new TextEncoder().encode(layout));
  return check ? await compare(folder, built, version) : await write(folder, built);
}

async function compile(folder: string, name: string): Promise<Uint8Array> {
  const scratch = await Deno.makeTempDir();
  const target = `${scratch}/${name}.bpf.o`;
  try {
    const flags = FLAGS.map((flag) => flag.replace("${PWD}", folder));
    await run(folder, "clang", [...flags, "-c", `${name}.bpf.c`, "-o", target]);
    await run(folder, "llvm-strip", ["-g", target]);
    return await Deno.readFile(target);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function write(folder: string, built: ReadonlyMap<string, Uint8Array>): Promise<number> {
  for (const [file, bytes] of built) {
    await Deno.writeFile(`${folder}/${file}`, bytes);
    console.log(`${file}: ${bytes.length} bytes`);
  }
  return 0;
}

async function compare(
  folder: string,
  built: ReadonlyMap<string, Uint8Array>,
  version: string,
): Promise<number> {
  let code = 0;
  for (const [file, bytes] of built) {
    if (file.endsWith(".o") && version !== CLANG) {
      console.log(`${file} not compared: made by clang ${CLANG}, here is ${version}`);
      continue;
    }
    const kept = await Deno.readFile(`${folder}/${file}`);
    if (kept.length === bytes.length && kept.every((byte, i) => byte === bytes[i])) continue;
    console.error(`${file} differs from its sources: run \`deno task bpf\``);
    code = 1;
  }
  return code;
}

async function clangVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("clang", { args: ["--version"] }).output();
    return /clang version ([0-9.]+)/.exec(new TextDecoder().decode(stdout))?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function run(folder: string, command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd: folder }).output();
  const said = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`Cannot build the BPF objects: ${command} failed\n${said}`);
  if (said !== "") console.error(said);
}
