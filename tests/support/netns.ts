// SPDX-License-Identifier: Apache-2.0
// Network namespaces of a test: an own loopback, so that ports never clash and no one else's
// traffic is in sight; and cables between two of them.

import { runToEnd } from "./child.ts";

export interface Netns extends AsyncDisposable {
  readonly name: string;
  /** Runs a program inside until it ends, and returns what it printed. */
  run(command: string, ...args: string[]): Promise<string>;
}

let made = 0;

export async function createNetns(): Promise<Netns> {
  const name = `spandrel-${Deno.pid}-${made++}`;
  await runToEnd("ip", { args: ["netns", "add", name] });
  const run = (command: string, ...args: string[]) => runToEnd(command, { args, netns: name });
  const remove = async () => void await runToEnd("ip", { args: ["netns", "delete", name] });
  try {
    await run("ip", "link", "set", "lo", "up");
  } catch (error) {
    await remove();
    throw error;
  }
  return { name, run, [Symbol.asyncDispose]: remove };
}

/** Joins two namespaces by a cable (veth pair); the addresses of its two ends. */
export async function connectNetns(a: Netns, b: Netns): Promise<{ a: string; b: string }> {
  const subnet = made++ % 250;
  const ends = { a: `10.213.${subnet}.1`, b: `10.213.${subnet}.2` };
  const [ifA, ifB] = [`spa${subnet}`, `spb${subnet}`];
  const pair = ["type", "veth", "peer", "name", ifB, "netns", b.name];
  await a.run("ip", "link", "add", ifA, ...pair);
  for (const [side, link, address] of [[a, ifA, ends.a], [b, ifB, ends.b]] as const) {
    await side.run("ip", "address", "add", `${address}/24`, "dev", link);
    await side.run("ip", "link", "set", link, "up");
  }
  return ends;
}
