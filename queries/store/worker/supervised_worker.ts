// SPDX-License-Identifier: Apache-2.0
// Keeps a worker at hand: one whose engine broke is ended and, after a pause, replaced. A file
// reopens with all that was acknowledged; what was in memory only is gone.

import type { Opened, OpenRequest, Replies, Request } from "./messages.ts";
import { connectWorker, type WorkerClient } from "./worker_client.ts";

export interface SupervisedWorker extends Disposable {
  readonly opened: Opened;
  call<K extends Request["kind"]>(
    request: Extract<Request, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<Replies[K]>;
  /** Ends the worker; the next call after a pause starts another. */
  retire(problem: string): void;
}

/** Pause before a broken database is opened again: a full disk does not empty in a second. */
const REOPEN_MS = 10_000;
/** A batch that takes longer means that something in the worker cannot be interrupted. */
const INSERT_MS_MAX = 60_000;

type OpenOptions = Omit<OpenRequest, "kind" | "wasmPath">;

/** `replaced` is called when another worker has been opened in the place of a broken one. */
export async function superviseWorker(
  options: OpenOptions,
  replaced: (opened: Opened) => void,
): Promise<SupervisedWorker> {
  let current: Promise<WorkerClient> | undefined;
  let problem = "";
  let retiredMs = 0;
  const start = async () => {
    const client = connectWorker(options.path);
    try {
      opened = await client.call({ kind: "open", wasmPath: client.wasmPath, ...options });
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  };
  let opened: Opened = { engineVersion: "", spans: 0, rows: 0 };
  const retire = (reason: string) => {
    current?.then((client) => client[Symbol.dispose](), () => {});
    current = undefined;
    problem = reason;
    retiredMs = performance.now();
  };
  const atHand = (): Promise<WorkerClient> => {
    if (current !== undefined) return current;
    if (performance.now() - retiredMs < REOPEN_MS) return Promise.reject(new Error(problem));
    current = start();
    current.then(() => replaced(opened), (error) => retire(error.message));
    return current;
  };
  current = start();
  await current;
  return {
    get opened() {
      return opened;
    },
    call: async (request, signal) => {
      const client = await atHand();
      // In memory all would be lost with the worker, so there it may take its time.
      const isWatched = request.kind === "insert" && options.path !== undefined;
      const late = () => retire(`the store did not answer for ${INSERT_MS_MAX / 1000} s`);
      const timer = isWatched ? setTimeout(late, INSERT_MS_MAX) : undefined;
      try {
        return await client.call(request, signal);
      } catch (error) {
        if (error instanceof Error && error.cause === "fatal") retire(error.message);
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    retire,
    [Symbol.dispose]: () => {
      retire("the store is closed");
      retiredMs = Infinity;
    },
  };
}
