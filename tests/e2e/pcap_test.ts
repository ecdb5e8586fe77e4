// SPDX-License-Identifier: Apache-2.0
// Capture files of real traffic, with tshark as the oracle: the same payload bytes at the same
// sequence numbers, in the same flows. `SPANDREL_PCAP_FOLDER` names a folder of further files.

import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { pcap } from "../../operators/sources/pcap.ts";
import { formatAddress } from "../../model/connection.ts";
import { collect } from "../../operators/sources/source_fixture.ts";
import { startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { requires } from "../support/requirements.ts";
import { startDnsmasq } from "../support/servers/dnsmasq.ts";
import { startNginx } from "../support/servers/nginx.ts";

/** Short enough to read when a comparison fails. */
const digest = (hex: string) => `${hex.length / 2} bytes ${hash("md5", hex)}`;

/** `transport source>destination sequence payload`, one line per packet that carries bytes. */
async function ourLines(path: string): Promise<string[]> {
  const { records } = await collect(pcap(path));
  return records.flatMap((record) => {
    if (record.kind !== "data" || record.eof) return [];
    const { connection: { local, peer, transport }, direction, payload, seq } = record;
    const ends = [peer, local].map(formatAddress);
    if (direction === "egress") ends.reverse();
    return [`${transport} ${ends.join(">")} ${seq} ${digest(payload.toHex())}`];
  });
}

async function tsharkLines(path: string): Promise<string[]> {
  const fields = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "tcp.dstport"];
  fields.push("udp.srcport", "udp.dstport", "tcp.seq_raw", "tcp.payload", "udp.payload");
  const args = ["-r", path, "-n", "-T", "fields", "-E", "occurrence=l", "-E", "separator=|"];
  args.push("-o", "tcp.desegment_tcp_streams:false", "-o", "ip.defragment:true");
  const { stdout } = await new Deno.Command("tshark", {
    args: [...args, ...fields.flatMap((name) => ["-e", name])],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").flatMap((line) => {
    const [src4, src6, dst4, dst6, tcpFrom, tcpTo, udpFrom, udpTo, seq, tcp, udp] = line.split("|");
    const transport = tcpFrom ? "tcp" : "udp";
    const payload = tcpFrom ? tcp : udp;
    if (!payload) return [];
    const from = formatAddress({ ip: src4 || src6 || "", port: Number(tcpFrom || udpFrom) });
    const to = formatAddress({ ip: dst4 || dst6 || "", port: Number(tcpTo || udpTo) });
    return [`${transport} ${from}>${to} ${tcpFrom ? seq : -1} ${digest(payload)}`];
  });
}

/** Asks for the address of shop.test. */
const ASK = String.raw`printf '\1\2\1\0\0\1\0\0\0\0\0\0\4shop\4test\0\0\1\0\1'`;

/** Runs a small load in a namespace of its own while dumpcap writes what passes the interface. */
async function capture(path: string, args: readonly string[]): Promise<void> {
  await using netns = await createNetns();
  await using nginx = await startNginx({
    netns: netns.name,
    port: 80,
    server: `location / { return 200 "${"hello ".repeat(500)}"; }`,
  });
  await using dns = await startDnsmasq({
    netns: netns.name,
    port: 53,
    addresses: { "shop.test": "127.0.0.1" },
  });
  await using dumpcap = await startChild("dumpcap", {
    netns: netns.name,
    args: [...args, "-q", "-w", path],
    ready: (child) => child.stderr().includes("File: "),
  });
  await netns.run("curl", "-sS", "--no-progress-meter", "-o", "/dev/null", `${nginx.url}/[1-5]`);
  await netns.run("bash", "-c", `exec 3<>/dev/udp/127.0.0.1/53; ${ASK} >&3; head -c 12 <&3`);
  const carried = async () => (await tsharkLines(path)).some((line) => line.startsWith("udp"));
  await until("the last packet written", carried);
  await dumpcap.stop();
  assert.ok(dns.pid > 0);
}

for (const [name, args] of [["pcapng", ["-i", "lo"]], ["pcap", ["-i", "any", "-P"]]] as const) {
  e2e(`pcap: real traffic in ${name} as tshark sees it`, {
    needs: ["tshark", "nginx", "dnsmasq", "curl", "netns"],
  }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "spandrel-pcap-" });
    try {
      const path = `${folder}/load.${name}`;
      await capture(path, args);
      const ours = await ourLines(path);
      assert.deepEqual(ours, await tsharkLines(path));
      assert.ok(ours.length >= 12, "the load was seen");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function* filesIn(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesIn(path);
    else if (/\.pcap(ng)?$/.test(entry.name)) yield path;
  }
}

const folder = Deno.env.get("SPANDREL_PCAP_FOLDER");
if (folder !== undefined && requires("tshark") === null) {
  for (const path of filesIn(folder)) {
    e2e(
      `pcap: ${path.slice(folder.length + 1)} as tshark sees it`,
      { needs: ["tshark"] },
      async () => {
        assert.deepEqual(await ourLines(path), await tsharkLines(path));
      },
    );
  }
}
