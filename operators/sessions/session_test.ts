// SPDX-License-Identifier: Apache-2.0
// Messages in, exchanges out: pairing by id and by order, interleaving, limits, ends.

import assert from "node:assert/strict";
import { tryOperator } from "../../engine/try_operator.ts";
import type { Direction } from "../../model/capture_record.ts";
import { LIMITS } from "../../model/limits.ts";
import type { Message, MessageEnd, MessageSeen, StreamEnd } from "../../model/message.ts";
import { MILLISECOND, type Nanos, SECOND } from "../../model/time.ts";
import { Conversation } from "../../tests/support/wire/conversation.ts";
import { sessionWindow } from "../session_window.ts";
import { byteSet } from "../wire/byte_set.ts";
import { NO_FIELDS } from "../wire/make.ts";
import { defineProtocol } from "../wire/protocol.ts";
import { createRegistry } from "../wire/registry.ts";

const protocol = (name: string, pairing: "order" | "id", multiplexed: boolean) =>
  defineProtocol({
    name,
    spec: "https://example.org/",
    transports: ["tcp"],
    fields: {},
    timeoutNs: 10n * SECOND,
    pairing,
    multiplexed,
    capture: "prefix",
    starts: byteSet(),
    probe: () => ({ kind: "no" }),
    open: () => null,
    read: () => ({ kind: "nothing" }),
  });

const registry = createRegistry([
  protocol("order", "order", false),
  protocol("id", "id", false),
  protocol("mux", "id", true),
]);

/** A client's connection: requests go out, responses come in; 1 ms between messages. */
function client(name: "order" | "id" | "mux") {
  const stage = tryOperator(sessionWindow, { registry, bootId: "b" });
  const { connection, program } = new Conversation();
  let nowNs: Nanos = SECOND;
  const offsets = { ingress: 0, egress: 0 };
  const message = (kind: Message["kind"], type: string, over: Partial<Message> = {}) => {
    const direction: Direction = kind === "request" ? "egress" : "ingress";
    nowNs += MILLISECOND;
    const seen: MessageSeen = {
      kind: "message",
      connection,
      program,
      protocol: name,
      tid: 1,
      coroutine: 0n,
      turn: 0,
      direction,
      message: {
        kind,
        type,
        resource: "",
        domain: "",
        endpoint: "",
        code: null,
        status: kind === "request" ? "unknown" : "ok",
        id: null,
        identity: null,
        fields: NO_FIELDS,
        more: false,
        clipped: false,
        ...over,
      },
      startNs: nowNs - 1_000n,
      emitNs: nowNs,
      offset: offsets[direction],
      seq: -1,
      bytes: 10,
      endTid: 1,
    };
    offsets[direction] += 10;
    stage.push(seen);
  };
  const end = (direction: Direction, over: Partial<MessageEnd> = {}) => {
    nowNs += MILLISECOND;
    const kind = "message_end";
    const rest = { id: null, emitNs: nowNs, endTid: 2, turn: 5, bytes: 99 };
    stage.push({ kind, connection, direction, ...rest, ...over });
  };
  const over = (
    reason: StreamEnd["reason"],
    direction: StreamEnd["direction"] = "both",
    emitNs: Nanos = nowNs,
  ) => stage.push({ kind: "stream_end", connection, direction, emitNs, reason });
  const closed = () =>
    stage.emitted.filter((event) => event.kind === "closed").map(({ exchange: x }) =>
      `${x.request?.message.type ?? "-"}/${x.response?.message.type ?? "-"} ${x.status}`
    );
  const wait = (pauseNs: Nanos) => void (nowNs += pauseNs);
  return { stage, message, end, over, closed, wait, now: () => nowNs };
}

Deno.test("by id: responses in any order", () => {
  const { message, closed } = client("id");
  message("request", "a", { id: 1 });
  message("request", "b", { id: 2 });
  message("response", "B", { id: 2 });
  message("response", "A", { id: 1 });
  assert.deepEqual(closed(), ["b/B ok", "a/A ok"]);
});

Deno.test("by id: a request that repeats an id gives the earlier one up", () => {
  const { message, closed } = client("id");
  message("request", "a", { id: 1 });
  message("request", "again", { id: 1 });
  message("response", "A", { id: 1 });
  assert.deepEqual(closed(), ["a/- timeout", "again/A ok"]);
});

Deno.test("by id: lost bytes do not matter to the others", () => {
  const { message, over, closed, stage } = client("id");
  message("request", "a", { id: 1 });
  message("request", "b", { id: 2 });
  over("lost", "ingress");
  message("response", "A", { id: 1 });
  assert.deepEqual(closed(), ["a/A ok"]);
  assert.deepEqual(stage.drops, {});
});

Deno.test("interleaved: a client that wants no more ends the exchange, whatever came of it", () => {
  const { message, end, closed } = client("mux");
  message("request", "a", { id: 1 });
  message("request", "b", { id: 2 });
  message("request", "c", { id: 3, more: true });
  message("response", "B", { id: 2, more: true });
  end("ingress", { id: 1, status: "reset" });
  end("ingress", { id: 2, status: "reset" });
  end("egress", { id: 3, status: "reset" });
  assert.deepEqual(closed(), ["a/- reset", "b/B reset", "c/- reset"]);
});

Deno.test("interleaved messages end by their ids", () => {
  const { message, end, closed, stage } = client("mux");
  message("request", "a", { id: 1, more: true });
  message("request", "b", { id: 3 });
  message("response", "A", { id: 1, more: true });
  message("response", "B", { id: 3, more: true });
  end("ingress", { id: 3, status: "server_error", code: 13, fields: { late: 1 } });
  end("egress", { id: 1 });
  end("ingress", { id: 1 });
  assert.deepEqual(closed(), ["b/B server_error", "a/A ok"]);
  const [b, a] = stage.emitted.filter((event) => event.kind === "closed");
  assert.deepEqual(b?.exchange.lateFields, { late: 1 });
  assert.equal(b?.exchange.response?.message.code, 13);
  assert.equal(a?.exchange.bytesRequest, 99);
  assert.equal(a?.exchange.endTid, 2);
  assert.equal(a?.exchange.endTurn, 5);
});

Deno.test("a response before the end of its request: both must be over", () => {
  const { message, end, closed } = client("order");
  message("request", "upload", { more: true });
  message("response", "refused");
  assert.deepEqual(closed(), []);
  end("egress");
  assert.deepEqual(closed(), ["upload/refused ok"]);
});

Deno.test("a response before the end of its request, which then breaks off, is a response", () => {
  const { message, over, closed } = client("order");
  message("request", "upload", { more: true });
  message("response", "refused", { status: "client_error" });
  over("reset");
  assert.deepEqual(closed(), ["upload/refused client_error"]);
});

Deno.test("too many requests open, by id: the oldest is given up", () => {
  const { message, closed, stage } = client("id");
  for (let id = 0; id <= LIMITS.openExchanges.value; id++) message("request", `${id}`, { id });
  assert.deepEqual(closed(), ["0/- unknown"]);
  assert.deepEqual(stage.drops, { open_full: 1 });
});

Deno.test("too many requests open, by order: order is lost", () => {
  const { message, closed, stage } = client("order");
  for (let n = 0; n <= LIMITS.openExchanges.value; n++) message("request", `${n}`);
  assert.equal(closed().length, LIMITS.openExchanges.value);
  assert.equal(stage.drops.open_full, 1);
  assert.equal(stage.drops.order_lost, LIMITS.openExchanges.value);
});

Deno.test("one at a time: a response that was lost ends its exchange, the next one pairs", () => {
  const { message, over, closed, stage } = client("order");
  message("request", "a");
  over("lost", "ingress");
  message("request", "b");
  message("response", "B");
  assert.deepEqual(closed(), ["a/- unknown", "b/B ok"]);
  assert.equal(stage.emitted.find((event) => event.kind === "closed")?.exchange.clipped, true);
});

Deno.test("responses that pass unread end what began before them, and no more", () => {
  const { message, over, closed, now, wait } = client("order");
  over("lost", "ingress");
  message("request", "a");
  message("request", "b");
  wait(MILLISECOND);
  const unreadNs = now();
  message("request", "c");
  over("unread", "ingress", unreadNs);
  message("response", "C");
  assert.deepEqual(closed(), ["a/- unknown", "b/- unknown", "c/C ok"]);
});

Deno.test("order lost is found again after a pause", () => {
  const { message, over, closed, wait, stage } = client("order");
  message("request", "a");
  message("request", "b");
  over("lost", "egress");
  message("response", "?");
  message("request", "?");
  message("response", "?");
  wait(150n * MILLISECOND);
  message("request", "z");
  message("response", "Z");
  assert.deepEqual(closed(), ["a/- unknown", "b/- unknown", "z/Z ok"]);
  assert.deepEqual(stage.drops, { order_lost: 5 });
});

Deno.test("order lost is found again after rounds that add up", () => {
  const { message, over, closed } = client("order");
  message("request", "a");
  message("request", "b");
  over("lost", "egress");
  for (let n = 0; n < 2; n++) {
    message("request", "x");
    message("request", "y");
    message("response", "X");
    message("response", "Y");
  }
  message("request", "z");
  message("response", "Z");
  assert.deepEqual(closed().slice(2), ["z/Z ok"]);
});

Deno.test("the end of one direction ends what waits for it, and no more", () => {
  const { message, over, closed } = client("order");
  message("request", "a");
  over("eof", "egress");
  assert.deepEqual(closed(), [], "the client has said all, the server has not");
  over("eof", "ingress");
  assert.deepEqual(closed(), ["a/- reset"]);
});

Deno.test("one-way messages stand alone, whatever waits", () => {
  const { message, end, closed, stage } = client("order");
  message("request", "a");
  message("oneway", "push", { more: true });
  end("ingress");
  message("response", "A");
  assert.deepEqual(closed(), ["push/- ok", "a/A ok"]);
  const push = stage.emitted.find((event) => event.kind === "closed")?.exchange;
  assert.equal(push?.shape, "one_way");
  assert.equal(push?.kind, "consumer");
  assert.equal(push?.bytesRequest, 99);
});

Deno.test("a long exchange is shown once while it is open, and closed later", () => {
  const { message, stage, now } = client("order");
  message("request", "poll");
  for (let n = 1n; n < 5n; n++) stage.advance(now() + n * SECOND);
  message("response", "news");
  const kinds = stage.emitted.map((event) => event.kind);
  assert.deepEqual(kinds, ["opened", "streaming", "closed"]);
});

Deno.test("at the end of the run, what is open is said to be open", () => {
  const { message, stage } = client("order");
  message("request", "a");
  stage.end();
  const last = stage.emitted.at(-1);
  assert.equal(last?.kind, "closed");
  assert.equal(last?.exchange.shape, "open");
  assert.equal(last?.exchange.status, "unknown");
});
