// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { Flow } from "../engine/flow.ts";
import { run } from "../engine/run.ts";
import { intoArray } from "../engine/sink.ts";
import type { Connection } from "../model/connection.ts";
import { NO_PROGRAM } from "../model/process.ts";
import type { SocketEvent } from "../model/capture_record.ts";
import type { SpanRevision } from "../model/span.ts";
import { tracePipeline } from "./pipeline.ts";

const CONNECTION: Connection = {
  conn: 0,
  cookie: 7n,
  transport: "tcp",
  netns: 1,
  role: "client",
  local: { ip: "127.0.0.1", port: 40_000 },
  peer: { ip: "127.0.0.1", port: 80 },
  startNs: 1n,
  joinedMidstream: false,
  observer: "process",
  peerCookie: 0n,
};

/** Pieces of one connection as calls, a millisecond apart. */
function calls(...pieces: [direction: "egress" | "ingress", text: string][]): SocketEvent[] {
  const offsets = { egress: 0, ingress: 0 };
  return pieces.map(([direction, text], i) => {
    const payload = new TextEncoder().encode(text);
    const streamOffset = offsets[direction];
    offsets[direction] += payload.length;
    return {
      kind: "data",
      connection: CONNECTION,
      program: { ...NO_PROGRAM, program: 1, tgid: 5 },
      tid: 5,
      coroutine: 0n,
      turn: i,
      direction,
      emitNs: BigInt(i + 1) * 1_000_000n,
      startNs: BigInt(i + 1) * 1_000_000n,
      streamOffset,
      length: payload.length,
      payload,
      seq: -1,
      eof: false,
      via: "call",
    };
  });
}

async function attributesOf(keepPayload: boolean) {
  const revisions: SpanRevision[] = [];
  const records = Flow.from(
    calls(
      ["egress", "GET /a?token=secret HTTP/1.1\r\nHost: x\r\n"],
      ["egress", "\r\n"],
      ["ingress", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
      ["ingress", "lo"],
      ["egress", "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"],
      ["ingress", "HTTP/1.1 204 No Content\r\n\r\n"],
    ),
    ({ emitNs }) => emitNs,
  );
  const host = { name: "h", bootId: "b" };
  const { spans } = tracePipeline(records, { host, keepPayload, unknownTcp: false });
  await run(spans.into(intoArray(revisions))).finished;
  return revisions.map(({ span }) => span.attributes);
}

Deno.test("payload is kept to the byte for who asks for it, and for no one else", async () => {
  const [first, second] = await attributesOf(true);
  assert.equal(
    first?.["payload_request"],
    "GET /a?token=secret HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  assert.equal(
    first["payload_response"],
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  );
  assert.equal(second?.["payload_request"], "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.equal(second["payload_response"], "HTTP/1.1 204 No Content\r\n\r\n");
  const text = JSON.stringify(await attributesOf(false));
  assert.ok(!text.includes("payload_") && !text.includes("secret"), text);
});
