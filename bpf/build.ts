// SPDX-License-Identifier: Apache-2.0
// `deno task bpf`: builds spandrel.bpf.o and event.gen.ts. With --check it compares and writes nothing.

import { eventLayout } from "./event_layout.ts";

/** The compiler that made the object that is checked in; others make other bytes. */
const CLANG = "14.0.6";

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
  const here = new URL(".", import.meta.url).pathname;
  Deno.exitCode = await buildBpf(here, Deno.args.includes("--check"));
}

/** Returns the exit code: 0 done or equal, 1 different, 2 cannot build. */
export async function buildBpf(folder: string, check: boolean): Promise<number> {
  const version = await clangVersion();
  if (version === undefined) {
    console.error("Cannot build spandrel.bpf.o: clang is not installed; apt install clang llvm");
    return 2;
  }
  const target = await Deno.makeTempFile({ suffix: ".bpf.o" });
  try {
    const flags = FLAGS.map((flag) => flag.replace("${PWD}", folder.replace(/\/$/, "")));
    await run(folder, "clang", [...flags, "-c", "spandrel.bpf.c", "-o", target]);
    await run(folder, "llvm-strip", ["-g", target]);
    const object = await Deno.readFile(target);
    const layout = eventLayout(object);
    return check
      ? await compare(folder, object, layout, version)
      : await write(folder, object, layout);
  } finally {
    await Deno.remove(target);
  }
}

async function write(folder: string, object: Uint8Array, layout: string): Promise<number> {
  await Deno.writeFile(`${folder}/spandrel.bpf.o`, object);
  await Deno.writeTextFile(`${folder}/event.gen.ts`, layout);
  console.log(`spandrel.bpf.o: ${object.length} bytes; event.gen.ts: ${layout.length} bytes`);
  return 0;
}

async function compare(
  folder: string,
  object: Uint8Array,
  layout: string,
  version: string,
): Promise<number> {
  const kept = await Deno.readFile(`${folder}/spandrel.bpf.o`);
  const same = kept.length === object.length && kept.every((byte, i) => byte === object[i]);
  if (layout !== await Deno.readTextFile(`${folder}/event.gen.ts`)) {
    console.error("event.gen.ts differs from event.h: run `deno task bpf`");
    return 1;
  }
  if (version !== CLANG) {
    console.log(`spandrel.bpf.o not compared: made by clang ${CLANG}, here is ${version}`);
    return 0;
  }
  if (!same) console.error("spandrel.bpf.o differs from its sources: run `deno task bpf`");
  return same ? 0 : 1;
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
  if (!success) throw new Error(`Cannot build spandrel.bpf.o: ${command} failed\n${said}`);
  if (said !== "") console.error(said);
}
