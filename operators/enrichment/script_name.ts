// SPDX-License-Identifier: Apache-2.0
// What an interpreter runs, read from its command line: `python3 app.py` is app.

/** The name of what is run; undefined when this is no interpreter or it runs nothing named. */
export function scriptName(argv: readonly string[]): string | undefined {
  const [command = "", ...args] = argv;
  const interpreter = baseName(command).replace(/[0-9.]+$/, "").toLowerCase();
  const find = INTERPRETERS[interpreter];
  const name = find?.(args);
  return name === undefined || name === "" ? undefined : name;
}

type Find = (args: readonly string[]) => string | undefined;

/** Options that take the next word, so that this word is not taken for the script. */
const WITH_VALUE = {
  python: new Set(["-W", "-X", "-Q"]),
  node: new Set(["-r", "--require", "--import", "--loader", "--env-file", "-C"]),
  ruby: new Set(["-I", "-r", "-C", "-E"]),
  perl: new Set(["-I"]),
  php: new Set(["-c", "-d"]),
  deno: new Set(["--config", "-c", "--import-map", "--lock", "--v8-flags"]),
  shell: new Set(["-o"]),
};

/** The script after the options; `-e` and `-c` give a program text instead of a name. */
const script = (withValue: ReadonlySet<string>): Find => (args) => {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (/^(-e|-c|-E|-p|--eval|--print|-r$)/.test(word) && !withValue.has(word)) return undefined;
    if (!word.startsWith("-")) return nameOfFile(word, args.slice(i + 1));
    if (withValue.has(word)) i++;
  }
  return undefined;
};

const python: Find = (args) => {
  const module = args.indexOf("-m");
  const beforeModule = args.slice(0, module).every((word) => word.startsWith("-"));
  if (module >= 0 && beforeModule) {
    return moduleName(args[module + 1] ?? "", args.slice(module + 2));
  }
  return script(WITH_VALUE.python)(args);
};

const java: Find = (args) => {
  const jar = args.indexOf("-jar");
  if (jar >= 0) return withoutVersion(nameOfFile(args[jar + 1] ?? "", []) ?? "");
  const valued = new Set(["-cp", "-classpath", "--class-path", "-p", "--module-path"]);
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "-m" || word === "--module") return (args[i + 1] ?? "").split("/").at(-1);
    if (valued.has(word)) i++;
    else if (!word.startsWith("-")) return word.split(".").at(-1);
  }
  return undefined;
};

const deno: Find = ([command = "", ...args]) => {
  if (command === "task") return args.find((word) => !word.startsWith("-"));
  return script(WITH_VALUE.deno)(command === "run" || command === "serve" ? args : [command]);
};

const INTERPRETERS: Readonly<Record<string, Find>> = {
  python,
  pypy: python,
  node: script(WITH_VALUE.node),
  nodejs: script(WITH_VALUE.node),
  bun: (args) => script(WITH_VALUE.node)(args[0] === "run" ? args.slice(1) : args),
  deno,
  ruby: script(WITH_VALUE.ruby),
  perl: script(WITH_VALUE.perl),
  php: script(WITH_VALUE.php),
  java,
  dotnet: (args) => script(new Set())(args[0] === "exec" ? args.slice(1) : args),
  sh: script(WITH_VALUE.shell),
  bash: script(WITH_VALUE.shell),
  dash: script(WITH_VALUE.shell),
};

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Servers of an application, which their `module:object` argument names. */
const APPLICATION_SERVERS = new Set(["gunicorn", "uvicorn", "hypercorn", "daphne", "granian"]);

/** Files named for their part in the program: then the folder names the program. */
const NAMELESS = new Set(["index", "main", "__main__", "mod", "cli", "run", "start"]);
const NAMELESS_FOLDERS = new Set(["", ".", "..", "app", "bin", "build", "dist", "lib", "src"]);

function nameOfFile(path: string, rest: readonly string[]): string | undefined {
  const file = baseName(path).replace(/\.(py|pyc|m?[jt]sx?|cjs|rb|pl|php|jar|war|dll|sh)$/, "");
  if (APPLICATION_SERVERS.has(file)) return applicationName(rest) ?? file;
  if (!NAMELESS.has(file)) return file;
  const folder = path.split("/").slice(0, -1).findLast((part) => !NAMELESS_FOLDERS.has(part));
  return folder ?? file;
}

function moduleName(module: string, rest: readonly string[]): string {
  if (APPLICATION_SERVERS.has(module)) return applicationName(rest) ?? module;
  return module.replace(/(?<=.)\.(__main__|main|cli|run)$/, "");
}

function applicationName(args: readonly string[]): string | undefined {
  const target = args.find((word) => /^[A-Za-z_][\w.]*:[\w.]+(\(\))?$/.test(word));
  return target?.split(":")[0]?.split(".")[0];
}

const withoutVersion = (name: string): string => name.replace(/-[0-9]+(\.[0-9]+)*.*$/, "");
