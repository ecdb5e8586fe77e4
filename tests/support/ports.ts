// SPDX-License-Identifier: Apache-2.0
// Ports of loopback for the servers of a test, and whether one is being listened on.
// Readiness is read from the kernel's table: a trial connection would show up in the trace.

/** A TCP port that is free on loopback now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** True once something listens on the port (TCP), or has bound it (UDP), in that namespace. */
export async function isListening(
  port: number,
  { netns, transport = "tcp" }: { netns?: string | undefined; transport?: "tcp" | "udp" } = {},
): Promise<boolean> {
  const list = ["ss", "-H", "-n", "-a", transport === "tcp" ? "-tl" : "-u", `sport = :${port}`];
  const line = netns === undefined ? list : ["ip", "netns", "exec", netns, ...list];
  const [program = "", ...args] = line;
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
  return stdout.length > 0;
}
