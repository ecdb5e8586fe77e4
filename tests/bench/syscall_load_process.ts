// SPDX-License-Identifier: Apache-2.0
// Starts syscall_load.ts as a process of its own, for the tracer does not see itself.

export interface Load extends AsyncDisposable {
  readonly pid: number;
  /** Nanoseconds per round. */
  run(kind: "getppid" | "null" | "tcp", count: number): Promise<number>;
}

export function startLoad(): Load {
  const script = new URL("./syscall_load.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-ffi", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const questions = child.stdin.getWriter();
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const encoder = new TextEncoder();
  return {
    pid: child.pid,
    async run(kind, count) {
      await questions.write(encoder.encode(`${kind} ${count}\n`));
      const { value } = await answers.read();
      if (value === undefined) throw new Error("Cannot measure: the load process has ended");
      return Number(value);
    },
    async [Symbol.asyncDispose]() {
      await questions.close();
      await answers.cancel();
      await child.status;
    },
  };
}
