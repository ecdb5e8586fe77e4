// SPDX-License-Identifier: Apache-2.0
// A server of the demo as a child process: started, waited for, stopped by its id.

export interface ServerProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
}

export interface ServerOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Run as this user when we are root. */
  readonly user?: string;
  /** Path of setpriv(1). */
  readonly setpriv: string;
  readonly stopSignal?: Deno.Signal;
  /** Asked until it is true; the server has started then. */
  readonly isReady: () => Promise<boolean>;
}

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 2_000;
const POLL_MS = 20;

/** Starts a server and resolves when it is ready; throws with what it said if it ends before. */
export async function startServer(name: string, options: ServerOptions): Promise<ServerProcess> {
  const log = `${options.folder}/${name}.log`;
  const child = spawn(options, log);
  let ended = false;
  const status = child.status.then((status) => {
    ended = true;
    return status;
  });
  const stop = async () => {
    if (!ended) signal(child, options.stopSignal ?? "SIGTERM");
    const timer = setTimeout(() => ended || signal(child, "SIGKILL"), STOP_MS_MAX);
    await status;
    clearTimeout(timer);
  };
  const deadlineMs = performance.now() + START_MS_MAX;
  while (!ended && performance.now() < deadlineMs) {
    if (await options.isReady()) return { name, pid: child.pid, [Symbol.asyncDispose]: stop };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const said = (await Deno.readTextFile(log).catch(() => "")).trim().split("\n").at(-1) ?? "";
  const state = ended ? "it ended" : `it is not ready after ${START_MS_MAX / 1000} s`;
  await stop();
  throw new Error(`Cannot start ${name}: ${state}${said === "" ? "" : `, saying: ${said}`}`);
}

/** Runs a program to its end; throws with what it said when it fails. */
export async function runProgram(
  program: string,
  args: readonly string[],
  folder: string,
): Promise<void> {
  const command = new Deno.Command(program, { args: [...args], cwd: folder, stdin: "null" });
  const { success, stderr } = await command.output();
  if (success) return;
  throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** The words before a program's own that make it run as another user. */
export function asUser(setpriv: string, user: string | undefined): string[] {
  if (user === undefined || Deno.uid() !== 0) return [];
  return [setpriv, `--reuid=${user}`, `--regid=${user}`, "--init-groups"];
}

/** The kernel stops the server, too, should we die without doing so. */
function spawn(options: ServerOptions, log: string): Deno.ChildProcess {
  const { setpriv, user, program, args, env = {}, folder } = options;
  const [, ...identity] = asUser(setpriv, user);
  const line = [...identity, "--pdeathsig", "TERM", "--", program, ...args];
  const shell = 'log="$1"; shift; exec "$@" >"$log" 2>&1';
  return new Deno.Command("/bin/sh", {
    args: ["-c", shell, "sh", log, setpriv, ...line],
    cwd: folder,
    env: { ...env, PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C.UTF-8" },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It ended in between.
  }
}
