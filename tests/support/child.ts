// SPDX-License-Identifier: Apache-2.0
// A real program as a child process of a test: started, watched until it is ready, stopped by its
// own process id at the end of the test, also when the test fails (`await using`).

import { until, within } from "./deadline.ts";

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Name of the network namespace that the program runs in; the test's own when absent. */
  readonly netns?: string | undefined;
  /** Run as this user when the test runs as root; some servers refuse to be root. */
  readonly user?: string;
  /** Polled until true; fails at once when the program ends first. */
  readonly ready?: (child: Child) => boolean | Promise<boolean>;
  readonly stopSignal?: Deno.Signal;
  /** How long it may take to end after the stop signal, before SIGKILL. */
  readonly stopMs?: number;
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** What the program has printed so far, the newest 256 KiB of each stream. */
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<Deno.CommandStatus>;
  /** Sends the stop signal, after `stopMs` SIGKILL, and waits for the end; again does nothing. */
  stop(): Promise<Deno.CommandStatus>;
}

const outputCharsMax = 256 * 1024;
const stopMsDefault = 5_000;

export async function startChild(command: string, options: ChildOptions = {}): Promise<Child> {
  const [program, ...args] = commandLine(command, options);
  const process = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
  const child = watch(process, options);
  if (options.ready !== undefined) await waitReady(command, child, options.ready);
  return child;
}

/** Runs a program that ends by itself; its output, or a failure that shows what it said. */
export async function runToEnd(command: string, options: ChildOptions = {}): Promise<string> {
  await using child = await startChild(command, options);
  const { code } = await within(`${command} end`, child.exited, 60_000);
  if (code === 0) return child.stdout();
  const said = `${child.stdout()}${child.stderr()}`.trim().slice(-2000);
  throw new Error(`Cannot run ${command}: it ended with code ${code}:\n${said}`);
}

/** Prefixes that end in exec, so that the child's pid is the program's. */
function commandLine(command: string, options: ChildOptions): [string, ...string[]] {
  const line = [command, ...options.args ?? []];
  if (options.user !== undefined && Deno.uid() === 0) {
    const group = `--regid=${options.user}`;
    line.unshift("setpriv", `--reuid=${options.user}`, group, "--init-groups");
  }
  if (options.netns !== undefined) line.unshift("ip", "netns", "exec", options.netns);
  const [program = command, ...args] = line;
  return [program, ...args];
}

function watch(
  process: Deno.ChildProcess,
  { stopSignal = "SIGTERM", stopMs = stopMsDefault }: ChildOptions,
): Child {
  const stdout = collect(process.stdout);
  const stderr = collect(process.stderr);
  const exited = Promise.all([process.status, stdout.ended, stderr.ended])
    .then(([status]) => status);
  let hasEnded = false;
  process.status.then(() => hasEnded = true);
  const stop = async () => {
    if (!hasEnded) kill(process, stopSignal);
    try {
      return await within(`process ${process.pid} end`, exited, stopMs);
    } catch {
      kill(process, "SIGKILL");
      await process.status;
      return await within(`the output of process ${process.pid} end`, exited, stopMs);
    }
  };
  return {
    pid: process.pid,
    stdout: stdout.text,
    stderr: stderr.text,
    exited,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

function kill(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

function collect(stream: ReadableStream<Uint8Array>) {
  let collected = "";
  const ended = (async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      collected = (collected + part).slice(-outputCharsMax);
    }
  })();
  return { text: () => collected, ended };
}

async function waitReady(
  command: string,
  child: Child,
  ready: (child: Child) => boolean | Promise<boolean>,
): Promise<void> {
  let ended: Deno.CommandStatus | undefined;
  child.exited.then((status) => ended = status);
  const said = () => `${child.stdout()}${child.stderr()}`.trim().slice(-2000);
  try {
    await until(`${command} ready`, () => ended !== undefined || ready(child), 30_000);
  } catch (error) {
    await child.stop();
    throw new Error(`Cannot start ${command}: not ready in time; it said:\n${said()}`, {
      cause: error,
    });
  }
  if (ended === undefined) return;
  throw new Error(`Cannot start ${command}: it ended with code ${ended.code}:\n${said()}`);
}
