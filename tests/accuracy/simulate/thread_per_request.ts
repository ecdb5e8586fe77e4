// SPDX-License-Identifier: Apache-2.0
// A service whose threads each take one request, block on their calls, and answer it themselves.

import type { Connection } from "../../../model/connection.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { Clock } from "./clock.ts";
import { openPools } from "./connection_pool.ts";
import type { Backend, Endpoint } from "./handler.ts";
import type { Recorder, SimulatedThread } from "./recorder.ts";
import type { Service } from "./service.ts";

export const stepNs = 20_000;

export function threadPerRequest(clock: Clock, recorder: Recorder, threads: number): Service {
  const program = recorder.program("threads");
  const idle = Array.from({ length: threads }, () => recorder.thread(program));
  const inbox: (() => void)[] = [];
  const work = blockingWork(clock, recorder);

  const start = (): void => {
    const next = inbox[0];
    if (next === undefined || idle.length === 0) return;
    inbox.shift();
    next();
  };
  return (on, endpoint, done) => {
    inbox.push(() => {
      const thread = idle.pop();
      if (thread === undefined) return;
      clock.after(clock.around(stepNs), () => {
        const request = recorder.readRequest(thread, on, endpoint);
        work(thread, request, endpoint, () => {
          recorder.respond(thread, request);
          idle.push(thread);
          done();
          start();
        });
      });
    });
    start();
  };
}

/** Runs a handler on one thread that blocks: groups one by one, a group's calls all at once. */
export function blockingWork(clock: Clock, recorder: Recorder): (
  thread: SimulatedThread,
  request: Exchange,
  endpoint: Endpoint,
  done: () => void,
) => void {
  const pools = openPools(recorder);

  function send(
    thread: SimulatedThread,
    backend: Backend,
    request: Exchange,
    done: () => void,
  ): void {
    const pool = pools(backend);
    pool.take((on: Connection) => {
      const call = recorder.sendRequest(thread, on, backend, request);
      clock.after(clock.around(backend.meanNs), () => {
        thread.turn++;
        recorder.respond(thread, call);
        const next = pool.give(on);
        if (next !== null) clock.after(stepNs / 4, next);
        clock.after(clock.around(stepNs), done);
      });
    });
  }
  return (thread, request, endpoint, done) => {
    const run = (index: number): void => {
      const group = endpoint.calls[index];
      if (group === undefined) {
        clock.after(clock.around(stepNs), done);
        return;
      }
      let left = group.length;
      clock.after(clock.around(stepNs), () => {
        for (const backend of group) {
          send(thread, backend, request, () => {
            if (--left === 0) run(index + 1);
          });
        }
      });
    };
    run(0);
  };
}
