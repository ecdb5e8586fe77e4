// SPDX-License-Identifier: Apache-2.0
// What it costs to link: session events of one process, through link alone, by the kind of program,
// and what link still holds at the end. Simulated services, and recordings of real programs.

import process from "node:process";
import type { Outputs } from "../../engine/operator.ts";
import type { DropReason } from "../../model/drops.ts";
import type { LinkedExchange } from "../../model/linked_exchange.ts";
import { link } from "../../operators/link/link.ts";
import { readRecordedRun } from "../accuracy/recorded_run.ts";
import { type Run, type ShapeName, simulate } from "../accuracy/simulated_shapes.ts";
import { median } from "./median.ts";

export interface AssociationRow {
  readonly what: string;
  /** A request read or sent, a response written or read. */
  readonly messages: number;
  /** Processor time, not wall time: other work on the machine does not count. */
  readonly usPerMessage: number;
  readonly messagesPerSecond: number;
  /** Most that link held at any time. */
  readonly heldMax: number;
}

const simulated: readonly (readonly [shape: ShapeName, clients: number])[] = [
  ["threads", 64],
  ["workers_8", 64],
  ["loop_at_once", 8],
  ["loop_at_once", 64],
  ["loop_deferred", 64],
  ["loop_at_once", 256],
  ["workers_8_reader_answers", 8],
  ["workers_8_reader_answers", 64],
];

const recorded = ["python_threads", "node_pool_64", "python_workers_reader_at_8", "deno_at_8"];

export async function associationBench(): Promise<AssociationRow[]> {
  const rows: AssociationRow[] = [];
  for (const [shape, clients] of simulated) {
    const what = `${shape.replaceAll("_", " ")}, ${clients} clients`;
    rows.push(await measure(what, () => simulate(shape, clients, 3_000)));
  }
  for (const name of recorded) {
    rows.push(await measure(`${name.replaceAll("_", " ")}, recorded`, () => readRecordedRun(name)));
  }
  return rows;
}

const runs = 5;

async function measure(what: string, make: () => Run | Promise<Run>): Promise<AssociationRow> {
  const times: number[] = [];
  let [messages, heldMax] = [0, 0];
  for (let i = 0; i < runs; i++) {
    const { events } = await make();
    messages = events.length;
    const from = process.cpuUsage().user;
    heldMax = linkEvents(events);
    times.push(process.cpuUsage().user - from);
  }
  const us = median(times);
  return {
    what,
    messages,
    usPerMessage: us / messages,
    messagesPerSecond: 1e6 * messages / us,
    heldMax,
  };
}

function linkEvents(events: Run["events"]): number {
  const out: Outputs<LinkedExchange, never, DropReason> = {
    emit: () => {},
    side: () => {},
    drop: () => {},
  };
  const stage = link.open(undefined, out);
  let heldMax = 0;
  for (const [i, { event, apply, before }] of events.entries()) {
    for (const fact of before ?? []) stage.right(fact);
    apply();
    stage.left(event);
    if (i % 64 !== 0) continue;
    stage.advance(event.emitNs - 1_000_000n);
    heldMax = Math.max(heldMax, stage.held());
  }
  stage.end();
  return heldMax;
}

export function formatAssociationReport(rows: readonly AssociationRow[]): string {
  const lines = ["program                                 messages  µs each      k/s  held"];
  for (const { what, messages, usPerMessage, messagesPerSecond, heldMax } of rows) {
    lines.push([
      what.padEnd(38),
      String(messages).padStart(10),
      usPerMessage.toFixed(2).padStart(9),
      (messagesPerSecond / 1_000).toFixed(0).padStart(9),
      String(heldMax).padStart(6),
    ].join(""));
  }
  return lines.join("\n");
}
