// SPDX-License-Identifier: Apache-2.0
// A service whose reader thread hands requests to a pool of workers, which block on their calls.
// The answer is written by the worker, or given back to the reader.

import type { Clock } from "./clock.ts";
import type { Recorder } from "./recorder.ts";
import type { Service } from "./service.ts";
import { blockingWork, stepNs } from "./thread_per_request.ts";

export interface ThreadPoolShape {
  readonly workers: number;
  readonly answeredBy: "worker" | "reader";
}

export function threadPool(clock: Clock, recorder: Recorder, shape: ThreadPoolShape): Service {
  const program = recorder.program("pool");
  const reader = recorder.thread(program);
  const idle = Array.from({ length: shape.workers }, () => recorder.thread(program));
  const handed: (() => void)[] = [];
  const work = blockingWork(clock, recorder);

  const start = (): void => {
    if (idle.length === 0) return;
    handed.shift()?.();
  };
  return (on, endpoint, done) => {
    clock.after(clock.around(stepNs), () => {
      reader.turn++;
      const request = recorder.readRequest(reader, on, endpoint);
      handed.push(() => {
        const worker = idle.pop();
        if (worker === undefined) return;
        work(worker, request, endpoint, () => {
          if (shape.answeredBy === "worker") recorder.respond(worker, request);
          else {
            clock.after(clock.around(stepNs), () => {
              reader.turn++;
              recorder.respond(reader, request);
            });
          }
          idle.push(worker);
          clock.after(clock.around(stepNs) * 2, done);
          start();
        });
      });
      start();
    });
  };
}
