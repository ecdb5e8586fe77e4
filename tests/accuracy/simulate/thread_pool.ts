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
  /**
   * Which request a free worker takes: the first (by default), the last, any, as where workers
   * steal from each other, or the one of the shortest handler.
   */
  readonly takes?: "first" | "last" | "any" | "shortest";
  /** Pools of so many workers each, by endpoint; 1 if absent. */
  readonly pools?: number;
}

interface Handed {
  readonly steps: number;
  readonly work: () => void;
}

export function threadPool(clock: Clock, recorder: Recorder, shape: ThreadPoolShape): Service {
  const program = recorder.program("pool");
  const reader = recorder.thread(program);
  const pools = Array.from({ length: shape.pools ?? 1 }, () => ({
    idle: Array.from({ length: shape.workers }, () => recorder.thread(program)),
    handed: [] as Handed[],
  }));
  const work = blockingWork(clock, recorder);

  const next = (handed: Handed[]): Handed | undefined => {
    const { takes = "first" } = shape;
    if (takes === "first") return handed.shift();
    if (takes === "last") return handed.pop();
    if (takes === "any") return handed.splice(Math.floor(clock.random() * handed.length), 1)[0];
    const least = Math.min(...handed.map(({ steps }) => steps));
    return handed.splice(handed.findIndex(({ steps }) => steps === least), 1)[0];
  };
  return (on, endpoint, done) => {
    const { idle, handed } = pools[endpoint.calls.length % pools.length] ?? pools[0] ?? none;
    const start = (): void => {
      if (idle.length > 0) next(handed)?.work();
    };
    clock.after(clock.around(stepNs), () => {
      reader.turn++;
      const request = recorder.readRequest(reader, on, endpoint);
      const steps = endpoint.calls.length;
      const begin = () => {
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
      };
      handed.push({ steps, work: begin });
      start();
    });
  };
}

const none = { idle: [], handed: [] };
