// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { tryOperator } from "../engine/try_operator.ts";
import type { SocketEvent } from "../model/capture_record.ts";
import { LIMITS } from "../model/limits.ts";
import { SECOND } from "../model/time.ts";
import { Conversation } from "../tests/support/wire/conversation.ts";
import { decode } from "./decode.ts";
import { Claim } from "./streams/claim.ts";
import { anyByte } from "./wire/byte_set.ts";
import { Malformed } from "./wire/cursor.ts";
import { defineProtocol, type Step } from "./wire/protocol.ts";

/**
 * A protocol for tests: a letter, a length and so many bytes. `m` is a message, `b` one whose body
 * is skipped, `n` nothing, `u` a message whose end is not told; `o` is an endless circle.
 */
const toy = defineProtocol({
  name: "toy",
  spec: "https://example.org/",
  transports: ["tcp", "udp"],
  fields: {},
  timeoutNs: SECOND,
  pairing: "order",
  capture: "prefix",
  starts: anyByte(),
  probe: (bytes) => ({ kind: /[mbnu]/.test(String.fromCharCode(bytes[0] ?? 0)) ? "maybe" : "no" }),
  open: () => ({ body: -1, lost: 0 }),
  read(cursor, way, make, state): Step {
    if (state.body >= 0) {
      const bytes = state.body;
      state.body = bytes > 0 ? 0 : -1;
      return bytes > 0 ? { kind: "skip", bytes } : { kind: "end" };
    }
    const letter = cursor.latin1(1);
    if (letter === "o") {
      cursor.rewind(0);
      return { kind: "nothing" };
    }
    if (!/[mbnu]/.test(letter)) throw new Malformed("letter");
    const length = cursor.u16();
    if (letter === "n") {
      cursor.skip(length);
      return { kind: "nothing" };
    }
    if (letter === "b") state.body = length;
    const type = letter === "b" ? "b" : cursor.latin1(length);
    const draft = { type, more: letter === "b" || letter === "u" };
    return way === "toClient" ? make.response(draft) : make.request(draft);
  },
  lost: (state) => void state.lost++,
});

const frame = (letter: string, body: string) =>
  letter + String.fromCharCode(body.length >> 8, body.length & 0xff) + body;

function open(transport: "tcp" | "udp" = "tcp", pairing: "order" | "id" = "order") {
  const talk = new Conversation({ transport });
  const tried = tryOperator(decode, undefined);
  const wanted: string[] = [];
  const claim = new Claim({ ...toy, pairing }, transport, null, {
    switchTo() {},
    giveBack() {},
    copyMore: (_connection, copied) => void wanted.push(copied),
  });
  const push = (event: SocketEvent, gap = 0) => {
    const { connection, streamOffset: offset, length, payload: bytes, emitNs } = event;
    const kind = "bytes" as const;
    tried.push({ claim, record: { kind, connection, event, offset, gap, length, bytes, emitNs } });
  };
  const seen = () =>
    tried.emitted.map((event) => {
      if (event.kind !== "message") return event.kind === "stream_end" ? event.reason : "end";
      return `${event.message.type}@${event.offset}+${event.bytes}`;
    });
  return { talk, tried, claim, push, seen, wanted };
}

Deno.test("a message that comes in parts has the place, thread and times of its first byte", () => {
  const { talk, tried, push } = open();
  push(talk.up(frame("n", "xx") + "m", { tid: 7, turn: 3 }));
  push(talk.up("\0"));
  push(talk.up("\x03abc" + frame("m", "d"), { tid: 9 }));
  const [first, second] = tried.emitted;
  assert.ok(first?.kind === "message" && second?.kind === "message");
  const { tid, turn, endTid, offset, bytes, seq, startNs, emitNs } = first;
  assert.deepEqual(
    { tid, turn, endTid, offset, bytes, seq },
    { tid: 7, turn: 3, endTid: 9, offset: 0, bytes: 11, seq: 1000 },
  );
  assert.equal(startNs, 1_000_990_000n);
  assert.equal(emitNs, 1_003_000_000n);
  assert.equal(second.offset, 11);
  assert.equal(second.tid, 9);
});

Deno.test("readers begin at integers: -0 would keep all of their code from being compiled", () => {
  const { talk, claim, push, seen } = open();
  const starts: number[] = [];
  const { protocol } = claim;
  claim.protocol = {
    ...protocol,
    read(cursor, ...others) {
      starts.push(cursor.at);
      return protocol.read(cursor, ...others);
    },
  };
  push(talk.up(frame("m", "a") + frame("m", "b") + "m"));
  push(talk.up("\0\x01c"));
  assert.deepEqual(seen(), ["a@0+4", "b@4+4", "c@8+4"]);
  // Strictly equal: -0 is not 0.
  assert.deepEqual(starts, [0, 4, 8, 0]);
});

Deno.test("bytes that were needed and not copied are copied from then on", () => {
  const { talk, push, wanted } = open();
  push(talk.up(frame("m", "hello"), { captured: 4 }));
  assert.deepEqual(wanted, ["all"]);
  push(talk.down(frame("m", "x".repeat(20_000)), { captured: 16_384 }));
  assert.deepEqual(wanted, ["all", "whole"]);
  push(talk.up(frame("m", "hello"), { captured: 4 }));
  assert.deepEqual(wanted, ["all", "whole"], "never less");
});

Deno.test("clipped bytes lose the place until the direction has changed, told at both ends", () => {
  const { talk, tried, claim, push, seen } = open();
  push(talk.up(frame("m", "a") + frame("m", "bcdef"), { captured: 6 }));
  push(talk.up(frame("m", "c")));
  push(talk.down(frame("m", "r")));
  push(talk.up(frame("m", "d")));
  assert.deepEqual(seen(), ["a@0+4", "lost", "r@0+4", "unread", "d@16+4"]);
  assert.deepEqual(tried.drops, { clipped: 1 });
  assert.deepEqual(claim.state, { body: -1, lost: 1 });
});

Deno.test("a gap within bytes that are skipped does no harm, any other loses the place", () => {
  const { push, talk, seen } = open();
  push(talk.up(frame("m", "a")));
  talk.up("lost bytes");
  push(talk.up(frame("m", "b")), 10);
  push(talk.down(frame("m", "r")));
  push(talk.up(frame("m", "c")));
  assert.deepEqual(seen(), ["a@0+4", "lost", "r@0+4", "unread", "c@18+4"]);
});

Deno.test("a gap where a burst begins: what comes looks like a message, so it is one", () => {
  const { push, talk, seen } = open();
  push(talk.up(frame("m", "a")));
  push(talk.down(frame("m", "r")));
  talk.up(frame("m", "lost"));
  push(talk.up(frame("m", "b")), 7);
  assert.deepEqual(seen(), ["a@0+4", "r@0+4", "lost", "b@11+4"]);
});

Deno.test("right behind a gap, pairing by id: messages that add up to the run are read", () => {
  const { push, talk, seen } = open("tcp", "id");
  push(talk.up(frame("m", "a")));
  talk.up("lost bytes");
  push(talk.up(frame("m", "b") + frame("n", "")), 10);
  talk.up("more lost");
  push(talk.up(frame("m", "c") + "m"), 9);
  push(talk.up(frame("m", "d")));
  assert.deepEqual(seen(), ["a@0+4", "lost", "b@14+4", "lost"]);
});

Deno.test("malformed bytes again and again refute the claim", () => {
  const { push, talk, tried, claim } = open();
  for (let n = 0; n < 20; n++) {
    push(talk.up("!!!"));
    push(talk.down("???"));
  }
  assert.equal(claim.over, "refuted");
  assert.deepEqual(tried.drops, { malformed: 4 });
  const end = tried.emitted.at(-1);
  assert.ok(end?.kind === "stream_end" && end.direction === "both");
});

Deno.test("a claim that many messages have proven bears more", () => {
  const { push, talk, claim } = open();
  push(talk.up(frame("m", "a").repeat(20)));
  push(talk.down(frame("m", "r").repeat(20)));
  for (let n = 0; n < 5; n++) {
    push(talk.up("!!!"));
    push(talk.down("???"));
  }
  assert.equal(claim.over, "no");
  for (let n = 0; n < 60; n++) {
    push(talk.up("!!!"));
    push(talk.down("???"));
  }
  assert.equal(claim.over, "refuted");
});

Deno.test("a message in between takes the suspicion away", () => {
  const { push, talk, claim } = open();
  push(talk.up(frame("m", "a")));
  for (let n = 0; n < 20; n++) {
    push(talk.up("!!!"));
    push(talk.down(frame("m", "r")));
  }
  assert.equal(claim.over, "no");
});

Deno.test("responses prove nothing where no request can be read", () => {
  const { push, talk, claim, tried } = open();
  for (let n = 0; n < 20; n++) {
    push(talk.up("!!!"));
    push(talk.down(frame("m", "r")));
  }
  assert.equal(claim.over, "refuted");
  assert.equal(tried.drops.malformed, 3);
});

Deno.test("a reader that goes in a circle is stopped", () => {
  const { push, talk, tried } = open();
  push(talk.up("ooo"));
  assert.deepEqual(tried.drops, { malformed: 1 });
});

Deno.test("a message over the limit is given up", () => {
  const { push, talk, tried, claim } = open();
  push(talk.up("m\xff\xff"));
  assert.equal(claim.egress.held, 3);
  // The toy asks for 64 KiB at most; a lane can be filled by hand.
  claim.egress.need = LIMITS.decodeBytes.value * 2;
  const part = "x".repeat(65_536);
  for (let n = 0; n < 17; n++) push(talk.up(part));
  assert.deepEqual(tried.drops, { decode_full: 1 });
  assert.equal(claim.egress.held, 0);
});

Deno.test("datagrams: several messages in one, nothing held from one to the next", () => {
  const { push, talk, tried, seen } = open("udp");
  push(talk.up(frame("m", "a") + frame("m", "b")));
  push(talk.up("m\0\x09abc"));
  push(talk.up("m\0\x09abcdefghi", { captured: 5 }));
  push(talk.up(frame("m", "c")));
  assert.deepEqual(seen(), ["a@0+4", "b@4+4", "c@26+4"]);
  assert.deepEqual(tried.drops, { malformed: 1, clipped: 1 });
});

Deno.test("the end of a connection in mid-message is counted", () => {
  const { push, talk, tried, claim } = open();
  push(talk.up("m\0\x09abc"));
  const { connection, nowNs: emitNs } = talk;
  const record = {
    kind: "stream_end",
    connection,
    direction: "both",
    emitNs,
    reason: "reset",
  } as const;
  tried.push({ claim, record });
  assert.deepEqual(tried.drops, { incomplete: 1 });
  assert.deepEqual(tried.emitted, [record]);
});

Deno.test("a message whose end is not told ends where the next one begins", () => {
  const { push, talk, tried } = open();
  push(talk.up(frame("u", "x")));
  push(talk.up(frame("u", "y")));
  const kinds = tried.emitted.map((event) => event.kind);
  assert.deepEqual(kinds, ["message", "message_end", "message"]);
});

Deno.test("a body that is skipped counts to its message, over calls and gaps", () => {
  const { push, talk, tried } = open();
  push(talk.up(frame("b", "x".repeat(40)).slice(0, 13), { captured: 3 }));
  talk.up("x".repeat(10));
  push(talk.up("x".repeat(20) + frame("m", "next"), { tid: 5, turn: 2 }), 10);
  const [head, end, next] = tried.emitted;
  assert.ok(head?.kind === "message" && end?.kind === "message_end" && next?.kind === "message");
  assert.equal(head.bytes, 3);
  assert.deepEqual([end.bytes, end.endTid, end.turn, end.emitNs], [43, 5, 2, talk.nowNs]);
  assert.equal(next.offset, 43);
  assert.deepEqual(tried.drops, {});
});

Deno.test("a response to a request of which the rest was not seen", () => {
  const { push, talk, tried, seen } = open();
  push(talk.up("m\0\x09abcde"));
  push(talk.down(frame("m", "r")));
  assert.deepEqual(seen(), ["r@0+4"], "the toy cannot make a message of a part");
  assert.deepEqual(tried.drops, { incomplete: 1 });
});

Deno.test("answers to several requests leave the next one, of which a part has come", () => {
  for (const pairing of ["order", "id"] as const) {
    const { push, talk, tried, seen } = open("tcp", pairing);
    push(talk.up(frame("m", "a") + frame("m", "b") + "m\0\x01"));
    push(talk.down(frame("m", "A")));
    push(talk.down(frame("m", "B")));
    push(talk.up("c"));
    assert.deepEqual(seen(), ["a@0+4", "b@4+4", "A@0+4", "B@4+4", "c@8+4"], pairing);
    assert.deepEqual(tried.drops, {});
  }
});

Deno.test("the place of a message in a run that overlaps an earlier one", () => {
  const { push, talk, tried, claim } = open();
  push(talk.up(frame("m", "a")));
  const event = talk.up("xx" + frame("m", "b"));
  const { connection, payload, emitNs } = event;
  const kind = "bytes" as const;
  // Two bytes of this segment were there before: the run begins behind them.
  const shifted = { ...event, streamOffset: event.streamOffset - 2, seq: event.seq - 2 };
  const bytes = payload.subarray(2);
  const rest = { offset: event.streamOffset, gap: 0, length: 4, bytes, emitNs };
  tried.push({ claim, record: { kind, connection, event: shifted, ...rest } });
  const last = tried.emitted.at(-1);
  assert.ok(last?.kind === "message");
  assert.equal(last.offset, 4);
  assert.equal(last.seq, 1_004);
});

Deno.test("what is consumed of pending bytes is not read again", () => {
  const { push, talk, seen } = open();
  push(talk.up("n"));
  push(talk.up("\0\x02"));
  push(talk.up("xxm"));
  push(talk.up("\0"));
  push(talk.up("\x01a"));
  assert.deepEqual(seen(), ["a@0+9"]);
});
