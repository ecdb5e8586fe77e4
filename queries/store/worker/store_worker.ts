// SPDX-License-Identifier: Apache-2.0
// The worker that owns the database. Inserts run as they come; queries wait their turn, one at a
// time and in steps, and give way to whatever arrives between two steps.

/// <reference lib="deno.worker" />

import { setImmediate } from "node:timers";
import { type Database, openDatabase } from "./database.ts";
import { isFatal, plainReason } from "../problems.ts";
import type { Envelope, QueryRequest, Replies, Reply, Request } from "./messages.ts";

/** Queries waiting for the one that runs. */
const QUERIES_MAX = 64;

// The engine prints some of its errors: never where the program's own output goes.
console.log = console.error;

let database: Database | undefined;
let queries: Promise<unknown> = Promise.resolve();
let queriesWaiting = 0;
const cancelled = new Set<number>();

self.onmessage = async ({ data }: MessageEvent<Envelope>) => {
  const reply = await answer(data);
  self.postMessage(reply, transfers(reply));
};

async function answer({ id, request }: Envelope): Promise<Reply> {
  try {
    return { id, value: await handle(id, request) };
  } catch (error) {
    return { id, error: plainReason(error), isFatal: isFatal(error) };
  }
}

async function handle(id: number, request: Request): Promise<Replies[keyof Replies]> {
  if (request.kind === "open") {
    database = await openDatabase(request);
    return database.opened;
  }
  if (database === undefined) throw new Error("Cannot use the store: it is not open");
  switch (request.kind) {
    case "insert":
      return database.insert(request);
    case "query":
      return await enqueue(database, id, request);
    case "exec":
      return void database.exec(request.sql);
    case "cancel":
      return void cancelled.add(request.query);
    case "checkpoint":
      return void database.checkpoint();
    case "close":
      database[Symbol.dispose]();
      database = undefined;
  }
}

async function enqueue(db: Database, id: number, request: QueryRequest) {
  if (queriesWaiting >= QUERIES_MAX) {
    throw new Error(`Cannot run the query: ${QUERIES_MAX} others wait already`);
  }
  queriesWaiting++;
  const run = async () => {
    try {
      return await db.query(request, nextTurn, () => cancelled.has(id));
    } finally {
      queriesWaiting--;
      cancelled.delete(id);
    }
  };
  const result = queries.then(run);
  queries = result.catch(() => {});
  return await result;
}

/** Lets messages that have arrived be handled first. (Timers would wait 4 ms each.) */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function transfers(reply: Reply): ArrayBuffer[] {
  if (!("value" in reply) || reply.value === undefined || !("parts" in reply.value)) return [];
  return reply.value.parts.map(({ buffer }) => buffer);
}
