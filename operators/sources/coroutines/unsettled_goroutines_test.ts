// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { CaptureRecord } from "../../../model/capture_record.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { unsettledGoroutines } from "./unsettled_goroutines.ts";

function startRun() {
  const found: string[] = [];
  const { take } = unsettledGoroutines((tgid, need) => void found.push(`${tgid} ${need}`));
  const program = { ...NO_PROGRAM, tgid: 7 };
  let nowNs = 0n;
  const pass = (role: "client" | "server", coroutine: bigint, direction: "ingress" | "egress") => {
    // Only what is looked at; a whole record has many fields.
    take(
      { kind: "data", program, coroutine, direction, connection: { role }, emitNs: ++nowNs } as
        & object
        & CaptureRecord,
    );
  };
  return {
    found,
    reads: (coroutine: bigint) => pass("server", coroutine, "ingress"),
    answers: (coroutine: bigint) => pass("server", coroutine, "egress"),
    calls(coroutine: bigint, times = 20) {
      for (let i = 0; i < times; i++) pass("client", coroutine, "egress");
    },
    starts(...line: bigint[]) {
      const emitNs = ++nowNs;
      const births = line.map((coroutine) => ({ coroutine, bornNs: emitNs }));
      take({ kind: "coroutine", program, line: births, emitNs });
    },
    handles(coroutine: bigint) {
      const task = { what: "handles", object: 1n, stream: 1 } as const;
      const line = [{ coroutine, bornNs: 1n }];
      take({ kind: "coroutine", program, line, task, emitNs: ++nowNs });
    },
    ends: () => take({ kind: "process", what: "exit", program, emitNs: ++nowNs }),
  };
}

Deno.test("unsettled goroutines: workers, once a program serves requests", () => {
  const run = startRun();
  run.starts(5n, 1n);
  run.calls(5n);
  assert.deepEqual(run.found, []);
  run.reads(3n);
  run.calls(5n, 2);
  assert.deepEqual(run.found, []);
  run.calls(5n);
  assert.deepEqual(run.found, ["7 channels"]);
});

Deno.test("unsettled goroutines: not those that serve requests, nor those that they start", () => {
  const run = startRun();
  run.reads(3n);
  run.calls(3n);
  run.starts(5n, 4n, 3n, 1n);
  run.calls(5n);
  run.handles(9n);
  run.calls(9n);
  assert.deepEqual(run.found, []);
});

Deno.test("unsettled goroutines: those that outlive the request that they were started for", () => {
  const run = startRun();
  run.reads(3n);
  run.starts(5n, 3n);
  run.calls(5n);
  run.reads(3n);
  run.calls(5n);
  assert.deepEqual(run.found, ["7 channels"]);
});

Deno.test("unsettled goroutines: another process of the number is another program", () => {
  const run = startRun();
  run.reads(3n);
  run.calls(5n);
  run.ends();
  run.reads(3n);
  run.calls(5n);
  assert.deepEqual(run.found, ["7 channels", "7 channels"]);
});

Deno.test("unsettled goroutines: those that go on after the answer", () => {
  const run = startRun();
  run.reads(3n);
  run.starts(5n, 3n);
  run.calls(5n);
  run.answers(3n);
  run.calls(5n);
  assert.deepEqual(run.found, ["7 births"]);
  run.reads(3n);
  run.calls(5n);
  assert.deepEqual(run.found, ["7 births", "7 channels"]);
});
