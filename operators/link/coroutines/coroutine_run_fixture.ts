// SPDX-License-Identifier: Apache-2.0
// A program whose coroutines read and send, for tests of link: no thread tells them apart.

import assert from "node:assert/strict";
import type { CoroutineBirth, CoroutineTask } from "../../../model/capture_record.ts";
import type { Exchange } from "../../../model/exchange.ts";
import type { Candidate } from "../../../model/link.ts";
import type { LinkedExchange } from "../../../model/linked_exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { link } from "../link.ts";

export const STEP_NS = 1_000_000n;

/** Who moves the bytes of a message, and on which connection and stream of it. */
export interface Place {
  readonly by: bigint;
  readonly conn: number;
  readonly stream?: number | null;
}

const program = { ...NO_PROGRAM, program: 1, tgid: 1 };

export function startCoroutineRun() {
  const linked: LinkedExchange[] = [];
  const emit = (record: LinkedExchange) => void linked.push(record);
  const join = link.open(undefined, { emit, side() {}, drop: assert.fail });
  let nowNs = 1_000_000_000n;
  let spans = 0n;

  return {
    nowNs: () => nowNs,
    step: () => void (nowNs += STEP_NS),
    open(kind: "server" | "client", place: Place, afterNs = STEP_NS): Exchange {
      nowNs += afterNs;
      const request = seen(kind === "server" ? "ingress" : "egress", "request", place, nowNs);
      const { connection, protocol } = request;
      const exchange: Exchange = {
        ...{ spanId: ++spans, connection, program, protocol, kind },
        ...{ request, response: null, startNs: nowNs, endNs: nowNs, endTid: 0, endTurn: 0 },
        ...{ bytesRequest: 1, bytesResponse: 0, status: "unknown", shape: "exchange" },
        ...{ lateFields: null, clipped: false },
      };
      join.left({ kind: "opened", exchange, emitNs: nowNs });
      return exchange;
    },
    close(exchange: Exchange, by: bigint): void {
      nowNs += STEP_NS;
      const { conn } = exchange.connection;
      const id = exchange.request?.message.id ?? null;
      const stream = id === null ? null : Number(id);
      const direction = exchange.kind === "server" ? "egress" : "ingress";
      exchange.response = seen(direction, "response", { by, conn, stream }, nowNs);
      exchange.endNs = nowNs;
      exchange.status = "ok";
      join.left({ kind: "closed", exchange, emitNs: nowNs });
    },
    /** Who started whom, as the source tells. */
    tell(line: readonly CoroutineBirth[], task?: CoroutineTask): void {
      const does = task === undefined ? {} : { task };
      join.right({ kind: "coroutine", program, line, ...does, emitNs: nowNs });
    },
    /** The likeliest parent, once all has been told. */
    bestOf({ spanId }: Exchange): Candidate | undefined {
      join.end();
      return linked.findLast(({ exchange }) => exchange.spanId === spanId)?.candidates[0];
    },
  };
}

function seen(
  direction: MessageSeen["direction"],
  kind: "request" | "response",
  { by, conn, stream = null }: Place,
  nowNs: bigint,
): MessageSeen {
  const end = { ip: "127.0.0.1", port: 80 };
  const protocol = stream === null ? "http" : "grpc";
  return {
    kind: "message",
    connection: {
      ...{ conn, cookie: BigInt(conn), transport: "tcp", netns: 1 },
      ...{ role: direction === "ingress" ? "server" : "client", local: end, peer: end },
      ...{ startNs: 1n, joinedMidstream: false, observer: "process", peerCookie: 0n },
    },
    ...{ program, protocol, tid: 1, coroutine: by, turn: 0, direction },
    message: {
      ...{ kind, type: "GET", resource: "/", domain: "", endpoint: "/", code: null },
      ...{ status: "unknown", id: stream, identity: null, fields: {}, more: false },
      clipped: false,
    },
    ...{ startNs: nowNs, emitNs: nowNs, offset: 0, seq: -1, bytes: 1, endTid: 1 },
  };
}
