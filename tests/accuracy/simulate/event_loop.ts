// SPDX-License-Identifier: Apache-2.0
// A service of one thread that polls: each poll begins a turn, in which all ready sockets are read.
// "immediate": what follows from a read is done at once (Node). "deferred": it is done in the next
// turn, before that turn's reads (asyncio).

import type { Connection } from "../../../model/connection.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { Clock } from "./clock.ts";
import { type ConnectionPool, openPools } from "./connection_pool.ts";
import type { Backend, Endpoint } from "./handler.ts";
import type { Recorder } from "./recorder.ts";
import type { Service } from "./service.ts";

const readNs = 5_000;
const pollNs = 3_000;
const connectNs = 60_000;

export function eventLoop(
  clock: Clock,
  recorder: Recorder,
  discipline: "immediate" | "deferred",
): Service {
  const thread = recorder.thread(recorder.program("loop"));
  const pools = openPools(recorder);
  let ready: (() => void)[] = [];
  let callbacks: (() => void)[] = [];
  let isRunning = false;

  /** Runs steps one after the other, each of which takes time; then calls `done`. */
  function runAll(steps: readonly (() => void)[], index: number, done: () => void): void {
    const step = steps[index];
    if (step === undefined) {
      done();
      return;
    }
    clock.after(clock.around(readNs), () => {
      step();
      runAll(steps, index + 1, done);
    });
  }

  function turn(): void {
    if (ready.length === 0 && callbacks.length === 0) {
      isRunning = false;
      return;
    }
    isRunning = true;
    thread.turn++;
    const due = callbacks;
    const reads = ready;
    callbacks = [];
    ready = [];
    runAll(due, 0, () => runAll(reads, 0, () => clock.after(pollNs, turn)));
  }

  function whenReadable(read: () => void): void {
    ready.push(read);
    if (!isRunning) {
      isRunning = true;
      clock.after(pollNs, turn);
    }
  }

  const next = (step: () => void): void => {
    if (discipline === "immediate") step();
    else callbacks.push(step);
  };

  function send(backend: Backend, request: Exchange, done: () => void): void {
    const pool = pools(backend);
    pool.take((on, isNew) => {
      const use = () => sendOn(on, pool, backend, request, done);
      if (isNew) clock.after(clock.around(connectNs), () => whenReadable(() => next(use)));
      else use();
    });
  }

  function sendOn(
    on: Connection,
    pool: ConnectionPool,
    backend: Backend,
    request: Exchange,
    done: () => void,
  ): void {
    const call = recorder.sendRequest(thread, on, backend, request);
    clock.after(clock.around(backend.meanNs), () =>
      whenReadable(() => {
        recorder.respond(thread, call);
        next(() => {
          const waiting = pool.give(on);
          if (waiting !== null) next(waiting);
          done();
        });
      }));
  }

  function handle(request: Exchange, endpoint: Endpoint, index: number, done: () => void): void {
    const group = endpoint.calls[index];
    if (group === undefined) {
      recorder.respond(thread, request);
      done();
      return;
    }
    let left = group.length;
    for (const backend of group) {
      send(backend, request, () => {
        if (--left === 0) handle(request, endpoint, index + 1, done);
      });
    }
  }

  return (on, endpoint, done) =>
    whenReadable(() => {
      const request = recorder.readRequest(thread, on, endpoint);
      next(() => handle(request, endpoint, 0, done));
    });
}
