// SPDX-License-Identifier: Apache-2.0
// Talks to the store's worker: starts it with no more permissions than its files need, matches
// replies to calls, and fails all calls at once if the worker dies.

import type { Envelope, Replies, Reply, Request } from "./messages.ts";
import { logPath } from "./file_layer.ts";

export interface WorkerClient extends Disposable {
  readonly wasmPath: string;
  /** Rejects with the worker's message; `signal` cancels a query. */
  call<K extends Request["kind"]>(
    request: Extract<Request, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<Replies[K]>;
}

interface Waiting {
  readonly resolve: (value: Replies[keyof Replies]) => void;
  readonly reject: (error: Error) => void;
}

export function connectWorker(path: string | undefined): WorkerClient {
  const wasm = import.meta.resolve("@duckdb/duckdb-wasm/dist/duckdb-eh.wasm");
  const wasmPath = decodeURIComponent(new URL(wasm).pathname);
  const worker = new Worker(new URL("./store_worker.ts", import.meta.url), {
    type: "module",
    name: "store",
    deno: { permissions: permissionsFor(wasmPath, path) },
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let death: Error | undefined;
  const die = (message: string) => {
    death ??= new Error(message, cause(true));
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) call?.reject(new Error(data.error, cause(data.isFatal)));
    else call?.resolve(data.value);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    die(`the store's worker ended: ${event.message}`);
    worker.terminate();
  };
  const post = (envelope: Envelope) => worker.postMessage(envelope, transfers(envelope.request));
  return {
    wasmPath,
    call: (request, signal) => {
      if (death !== undefined) return Promise.reject(death);
      if (signal?.aborted) {
        return Promise.reject(new Error("Cannot finish the query: it was cancelled"));
      }
      const id = ++lastId;
      const cancel = () => post({ id: ++lastId, request: { kind: "cancel", query: id } });
      const reply = new Promise<Replies[keyof Replies]>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        post({ id, request });
        signal?.addEventListener("abort", cancel, { once: true });
      }).finally(() => signal?.removeEventListener("abort", cancel));
      return reply as Promise<Replies[typeof request.kind]>;
    },
    [Symbol.dispose]: () => {
      die("the store is closed");
      worker.terminate();
    },
  };
}

/** "fatal" marks errors after which the worker is of no use. */
function cause(isFatal: boolean): ErrorOptions {
  return isFatal ? { cause: "fatal" } : {};
}

/** Its own files, nothing else: no network, no programs, no libraries, no environment. */
function permissionsFor(wasmPath: string, path: string | undefined): Deno.PermissionOptions {
  const files = path === undefined ? [] : [path, logPath(path)];
  return {
    read: [wasmPath, ...files],
    write: files,
    net: false,
    run: false,
    ffi: false,
    env: false,
    sys: false,
    import: false,
  };
}

function transfers(request: Request): ArrayBuffer[] {
  if (request.kind !== "insert") return [];
  return [request.spans, request.candidates, request.revised]
    .filter((part) => part !== undefined).map(({ buffer }) => buffer);
}
