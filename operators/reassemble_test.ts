// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { tryOperator } from "../engine/try_operator.ts";
import type { ByteRun, StreamRecord } from "../model/byte_run.ts";
import type { SocketEvent, SocketRecord } from "../model/capture_record.ts";
import { LIMITS } from "../model/limits.ts";
import { MILLISECOND, SECOND } from "../model/time.ts";
import { Conversation, toBytes } from "../tests/support/wire/conversation.ts";
import { reassemble } from "./reassemble.ts";

function run(records: readonly SocketRecord[]) {
  const tried = tryOperator(reassemble, undefined);
  for (const record of records) tried.push(record);
  return tried;
}

const runs = (records: readonly StreamRecord[]) =>
  records.filter((record): record is ByteRun => record.kind === "bytes");

const text = (records: readonly StreamRecord[]) =>
  runs(records).map((each) =>
    (each.gap > 0 ? `[${each.gap}]` : "") + new TextDecoder().decode(each.bytes)
  ).join("|");

/** Packets at offsets of "abcdefghijklmnopqrstuvwxyz". */
function packets(...parts: readonly [from: number, to: number][]): SocketEvent[] {
  const talk = new Conversation();
  return parts.map(([from, to]) => ({
    ...talk.down("abcdefghijklmnopqrstuvwxyz".slice(from, to)),
    streamOffset: from,
    seq: (1_000 + from) >>> 0,
    via: "packet",
  }));
}

Deno.test("events in order are handed on at once, with their place", () => {
  const talk = new Conversation();
  const { emitted } = run([talk.up("ab"), talk.down("xyz"), talk.up("cd")]);
  assert.deepEqual(runs(emitted).map((r) => [r.offset, r.gap, r.length]), [
    [0, 0, 2],
    [0, 0, 3],
    [2, 0, 2],
  ]);
});

Deno.test("a rare inversion is put right", () => {
  const talk = new Conversation();
  const [a, b, c] = [talk.up("ab"), talk.up("cd"), talk.up("ef")];
  assert.equal(text(run([b, c, a]).emitted), "ab|cd|ef");
});

Deno.test("what does not come is a gap, after a while of event time", () => {
  const talk = new Conversation();
  const [a, , c, d] = [talk.up("ab"), talk.up("cd"), talk.up("ef"), talk.up("gh")];
  const tried = run([a, c, d] as SocketEvent[]);
  assert.equal(text(tried.emitted), "ab");
  const waiting = c?.emitNs ?? 0n;
  assert.equal(tried.watermark?.(talk.nowNs + SECOND), waiting, "what is held is told of");
  tried.advance(waiting + 4n * MILLISECOND);
  assert.equal(text(tried.emitted), "ab");
  tried.advance(waiting + 5n * MILLISECOND);
  assert.equal(text(tried.emitted), "ab|[2]ef|gh");
  assert.equal(tried.watermark?.(talk.nowNs + SECOND), talk.nowNs + SECOND);
});

Deno.test("what comes after its gap was given up is late", () => {
  const talk = new Conversation();
  const [a, b, c] = [talk.up("ab"), talk.up("cd"), talk.up("ef")];
  const tried = run([a, c]);
  tried.advance(talk.nowNs + SECOND);
  tried.push(b);
  assert.equal(text(tried.emitted), "ab|[2]ef");
  assert.deepEqual(tried.drops, { late: 1 });
});

Deno.test("packets: repeated, overlapping and out of order", () => {
  const order = packets([0, 5], [3, 8], [10, 12], [0, 5], [8, 11], [12, 14]);
  assert.equal(text(run(order).emitted), "abcde|fgh|ijk|l|mn");
});

Deno.test("an overlap of which only a prefix was captured stays clipped", () => {
  const [a, b] = packets([0, 5], [3, 10]);
  assert.ok(a && b);
  const { emitted } = run([a, { ...b, payload: b.payload.subarray(0, 4) }]);
  assert.equal(text(emitted), "abcde|fg");
  assert.equal(runs(emitted)[1]?.length, 5);
});

Deno.test("too many bytes waiting are handed on with the gap", () => {
  const talk = new Conversation();
  const lost = talk.up("x");
  const big = "y".repeat(16_384);
  const events = Array.from({ length: 20 }, () => talk.up(big));
  const tried = run(events);
  assert.equal(runs(tried.emitted)[0]?.gap, 1);
  assert.ok(LIMITS.reorderBytes.value < 20 * 16_384);
  tried.push(lost);
  assert.deepEqual({ ...tried.drops }, { reorder_full: 1, late: 1 });
});

Deno.test("ends: of a direction, of a socket with bytes held back", () => {
  const talk = new Conversation();
  const [a, lost, b] = [talk.up("ab"), talk.up("c"), talk.up("de")];
  const tried = run([a, b, talk.eof("ingress"), talk.close("reset")]);
  assert.ok(lost);
  assert.equal(text(tried.emitted), "ab|[1]de");
  const ends = tried.emitted.filter((record) => record.kind === "stream_end");
  assert.deepEqual(ends.map((end) => [end.direction, end.reason]), [
    ["ingress", "eof"],
    ["both", "reset"],
  ]);
  assert.equal(tried.held(), 0);
});

Deno.test("a unix socket that is silent for long is forgotten, a TCP socket is not", () => {
  const unix = new Conversation({ transport: "unix", conn: 1 });
  const tcp = new Conversation({ transport: "tcp", conn: 2 });
  const tried = run([unix.up("a"), tcp.up("b")]);
  tried.advance(unix.nowNs + 1_000n * SECOND);
  assert.equal(tried.held(), 1);
  tried.push(tcp.up("c"));
  assert.equal(text(tried.emitted), "a|b|c");
});

Deno.test("datagrams of one socket: a connection for each peer", () => {
  const talk = new Conversation({ transport: "udp", role: "server" });
  const from = (port: number) => ({ ...talk.up("q"), peer: { ip: "10.0.0.1", port } });
  const { emitted } = run([from(1), from(2), from(1)]);
  const [first, second, third] = runs(emitted).map((each) => each.connection);
  assert.ok(first && second && third);
  assert.equal(first, third);
  assert.notEqual(first.conn, second.conn);
  assert.deepEqual([first.peer.port, second.peer.port], [1, 2]);
  assert.equal(first.cookie, talk.connection.cookie);
});

Deno.test("any order and repetition of packets gives the same bytes", () => {
  const whole = toBytes(
    Array.from({ length: 400 }, (_, i) => String.fromCharCode(i & 0xff)).join(""),
  );
  const cuts = fc.array(fc.tuple(fc.nat(399), fc.integer({ min: 1, max: 60 })), { maxLength: 30 });
  fc.assert(
    fc.property(cuts, fc.infiniteStream(fc.nat(1_000)), (extra, random) => {
      const parts: [number, number][] = [];
      for (let at = 0; at < 400; at += 25) parts.push([at, at + 25]);
      for (const [at, length] of extra) parts.push([at, Math.min(400, at + length)]);
      const keyed = parts.map((part) => ({ part, key: random.next().value ?? 0 }));
      keyed.sort((a, b) => a.key - b.key);
      const talk = new Conversation();
      const events = keyed.map(({ part: [from, to] }): SocketEvent => ({
        ...talk.down(whole.subarray(from, to)),
        streamOffset: from,
        seq: from,
        via: "packet",
      }));
      const got = runs(run(events).emitted);
      assert.ok(got.every((each) => each.gap === 0));
      assert.deepEqual(got.flatMap((each) => [...each.bytes]), [...whole]);
    }),
    { numRuns: 60 },
  );
});
