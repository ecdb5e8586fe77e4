// SPDX-License-Identifier: Apache-2.0
// What mutation starts from: the cases of all fixtures, and the connections of capture files.

import type { SocketEvent } from "../../model/capture_record.ts";
import { pcap } from "../../operators/sources/pcap.ts";
import { parseFixture, type Step } from "../support/wire/golden_fixture.ts";

export interface Talk {
  readonly name: string;
  /** Protocol of the fixture; "" where a capture may hold any. */
  readonly protocol: string;
  readonly transport: "tcp" | "udp";
  readonly steps: readonly Step[];
}

/** Calls of one talk: enough of a long capture. */
const STEPS_MAX = 24;
const BYTES_MAX = 4_096;

export function fixtureTalks(folder: URL): Talk[] {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return names.filter((name) => name.endsWith(".txt")).flatMap((file) => {
    const protocol = file.slice(0, -4);
    const { transport, cases } = parseFixture(
      protocol,
      Deno.readTextFileSync(new URL(file, folder)),
    );
    return cases.map(({ caption, steps }) => ({
      name: `${protocol}: ${caption}`,
      protocol,
      transport,
      steps,
    }));
  });
}

/** Connections of all captures in the folders of `root`; none where there is no such folder. */
export async function captureTalks(root: string): Promise<Talk[]> {
  const talks: Talk[] = [];
  for (const folder of names(root)) {
    for (const file of names(`${root}/${folder}`)) {
      if (file.endsWith(".pcap")) talks.push(...await talksOf(root, `${folder}/${file}`));
    }
  }
  return talks;
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

async function talksOf(root: string, file: string): Promise<Talk[]> {
  const talks = new Map<number, { transport: "tcp" | "udp"; steps: Step[]; bytes: number }>();
  const take = ({ connection, direction, payload, length }: SocketEvent) => {
    if (length === 0) return;
    const talk = talks.get(connection.conn) ??
      { transport: connection.transport === "udp" ? "udp" : "tcp", steps: [], bytes: 0 };
    talks.set(connection.conn, talk);
    if (talk.steps.length >= STEPS_MAX || talk.bytes > BYTES_MAX) return;
    talk.bytes += length;
    const up = direction === "ingress";
    talk.steps.push({ kind: "call", up, bytes: payload.slice(), length });
  };
  const source = pcap(`${root}/${file}`).open({
    emit: (record) => record.kind === "data" && take(record),
    side() {},
    drop() {},
    advance() {},
  });
  try {
    const { signal } = new AbortController();
    while (!source.done()) {
      if (source.pull(1_000) === 0 && !source.done()) await source.wait(signal);
    }
  } finally {
    source[Symbol.dispose]();
  }
  return [...talks.values()].map(({ transport, steps }, i) => ({
    name: `${file} connection ${i}`,
    protocol: "",
    transport,
    steps,
  }));
}
