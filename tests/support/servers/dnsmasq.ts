// SPDX-License-Identifier: Apache-2.0
// dnsmasq as a child process of a test: answers the given names and asks no other server.

import { type Child, startChild } from "../child.ts";
import { freePort, isListening } from "../ports.ts";

export interface Dnsmasq extends Child {
  readonly port: number;
}

export async function startDnsmasq(
  { addresses, port = freePort(), netns, settings = [] }: {
    /** The address of each name; every other name does not exist. */
    addresses: Readonly<Record<string, string>>;
    port?: number;
    netns?: string | undefined;
    /** More command line settings, such as `--cname=a,b`. */
    settings?: readonly string[];
  },
): Promise<Dnsmasq> {
  const hosts = Object.entries(addresses).map(([name, address]) =>
    `--host-record=${name},${address}`
  );
  const child = await startChild("dnsmasq", {
    netns,
    args: [
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-resolv",
      "--no-hosts",
      "--pid-file",
      "--listen-address=127.0.0.1",
      "--bind-interfaces",
      `--port=${port}`,
      "--user=root",
      "--local=/#/",
      "--log-facility=-",
      ...hosts,
      ...settings,
    ],
    ready: () => isListening(port, { netns, transport: "udp" }),
  });
  return { ...child, port };
}
