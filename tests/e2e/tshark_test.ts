// SPDX-License-Identifier: Apache-2.0
// Real traffic, recorded by this program, exported as pcapng and read by tshark: the packets are
// sound, and what both decoders make of them agrees.

import assert from "node:assert/strict";
import { e2e } from "../support/e2e.ts";
import { freePort } from "../support/ports.ts";
import type { Need } from "../support/requirements.ts";
import { installPackages, recordTraffic } from "../tshark/record_traffic.ts";
import { TRAFFIC, type Traffic } from "../tshark/traffic.ts";
import { compareCapture } from "../tshark/tshark_conformance.ts";

/** Those that start within some seconds; `deno task conformance --tshark --live` runs all. */
const QUICK = ["redis", "postgresql", "mysql-plain", "http", "http2", "dns", "fastcgi", "mqtt-5"];

/** What tshark prints of the fields, a line per packet, where the filter holds. */
async function fieldsOf(path: string, filter: string, ...names: string[]): Promise<string[]> {
  const checks = ["ip", "tcp", "udp"].flatMap((each) => ["-o", `${each}.check_checksum:TRUE`]);
  const fields = names.flatMap((name) => ["-e", name]);
  const { stdout } = await new Deno.Command("tshark", {
    args: ["-r", path, "-n", ...checks, "-Y", filter, "-T", "fields", ...fields],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

const npmFor = ({ packages }: Traffic): readonly Need[] => packages.length === 0 ? [] : ["npm"];

const BAD = "ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0";

for (const traffic of TRAFFIC) {
  if (!QUICK.includes(traffic.name)) continue;
  e2e(`export pcapng: ${traffic.name} as tshark reads it`, {
    needs: ["bpf", "tshark", "node", ...npmFor(traffic), ...traffic.needs],
  }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "spandrel-tshark-" });
    try {
      const modules = await installPackages(traffic.packages);
      const where = { folder, modules, port: freePort() };
      const { pcapng } = await recordTraffic(traffic, where);
      assert.deepEqual(await fieldsOf(pcapng, BAD, "frame.number"), [], "checksums");
      assert.deepEqual(await fieldsOf(pcapng, "tcp.analysis.flags", "frame.number"), [], "TCP");
      const [comment] = await fieldsOf(pcapng, "tcp.len>0 || udp", "frame.comment");
      assert.match(comment ?? "", /^\S.* pid \d+ tid \d+ (wrote|read) \d+ bytes$/);
      const comparisons = await compareCapture(pcapng, [traffic.protocol]);
      assert.equal(comparisons.length, 1);
      for (const { messages, disagreements } of comparisons) {
        assert.ok(messages >= 10, `${messages} messages`);
        assert.deepEqual(disagreements.filter(({ verdict }) => verdict === null), []);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
