// SPDX-License-Identifier: Apache-2.0
// Runs the steps of a golden fixture through decode and writes the messages as lines of JSON.

import type { ByteRun } from "../../../model/byte_run.ts";
import type { Envelope } from "../../../model/queues/envelope.ts";
import type { Message, MessageEnd, MessageSeen, StreamEnd } from "../../../model/message.ts";
import { decode } from "../../../operators/decode.ts";
import { Claim } from "../../../operators/streams/claim.ts";
import type { AnyProtocol } from "../../../operators/wire/registry.ts";
import { Conversation } from "./conversation.ts";
import type { Step } from "./golden_fixture.ts";

export interface GoldenRun {
  readonly lines: readonly string[];
  readonly drops: Record<string, number>;
}

/** Everything by which a message differs from one of which nothing is known. */
type Line = Record<string, unknown>;

interface Listed {
  readonly line: Line;
  readonly seen: MessageSeen | null;
}

export function runGolden(
  protocol: AnyProtocol,
  transport: "tcp" | "udp",
  steps: readonly Step[],
  role: "client" | "unknown" = "client",
): GoldenRun {
  const talk = new Conversation({ transport, role });
  const listed: Listed[] = [];
  const drops: Record<string, number> = {};
  const claim = new Claim(protocol, transport, null, {
    switchTo(each, name) {
      each.over = "released";
      listed.push({ line: { switch: name }, seen: null });
    },
    giveBack() {},
    copyMore() {},
  });
  const stage = decode.open(undefined, {
    emit(event) {
      if (event.kind === "message") listed.push({ line: messageLine(event), seen: event });
      else if (event.kind === "message_end") finish(listed, event);
      else if (event.reason === "lost") {
        listed.push({ line: { lost: upOrDown(event.direction === "egress") }, seen: null });
      }
    },
    side() {},
    drop: (reason, n = 1) => void (drops[reason] = (drops[reason] ?? 0) + n),
  });
  for (const step of steps) {
    stage.push({ claim, record: step.kind === "call" ? runOf(talk, step) : endOf(talk, step) });
  }
  return { lines: listed.map(({ line }) => JSON.stringify(line, bigintAsText)), drops };
}

function runOf(talk: Conversation, step: Step & { kind: "call" }): ByteRun {
  const padded = new Uint8Array(step.length);
  padded.set(step.bytes);
  const options = { captured: step.bytes.length };
  const event = talk.call(step.up ? "egress" : "ingress", padded, options);
  return {
    kind: "bytes",
    connection: event.connection,
    event,
    offset: event.streamOffset,
    gap: 0,
    length: event.length,
    bytes: event.payload,
    emitNs: event.emitNs,
  };
}

function endOf(talk: Conversation, step: Step & { kind: "end" }): StreamEnd {
  const { connection, nowNs: emitNs } = talk;
  const kind = "stream_end";
  if (step.what === "close" || step.what === "reset") {
    return { kind, connection, direction: "both", emitNs, reason: step.what };
  }
  const direction = step.what === "eof up" ? "egress" : "ingress";
  return { kind, connection, direction, emitNs, reason: "eof" };
}

const upOrDown = (up: boolean) => up ? "up" : "down";

function messageLine(seen: MessageSeen): Line {
  const { kind, fields, ...rest } = seen.message;
  const line: Line = { [upOrDown(seen.direction === "egress")]: kind };
  for (const name of SHOWN) {
    const value = rest[name];
    if (value !== "" && value !== null && value !== false) line[name] = value;
  }
  if (kind === "request" || line.status === "unknown") delete line.status;
  line.at = seen.offset;
  line.bytes = seen.bytes;
  if (Object.keys(fields).length > 0) line.fields = fields;
  if (rest.envelope) line.envelope = envelopeText(rest.envelope);
  if (rest.deliveries !== undefined && rest.deliveries.length > 0) {
    line.deliveries = rest.deliveries.map(deliveryText);
  }
  return line;
}

/** "publish content 8f0c…", "settle 1 7". */
function envelopeText({ role, keys, by, receipt, upTo }: Envelope): string {
  const known = keys.length === 0 ? [] : [by, ...keys.map((key) => key.toString(16))];
  return [role, ...known, receipt, ...(upTo ? ["and before"] : [])].filter(Boolean).join(" ");
}

const deliveryText = ({ resource, envelope }: Message): string =>
  `${resource} ${envelope ? envelopeText(envelope) : ""}`.trim();

const SHOWN = [
  "type",
  "resource",
  "domain",
  "endpoint",
  "code",
  "status",
  "id",
  "identity",
  "more",
  "clipped",
] as const satisfies readonly (keyof Message)[];

/** A message that came in parts is the same as one that came as a whole. */
function finish(listed: readonly Listed[], end: MessageEnd): void {
  const mine = listed.findLast(({ line, seen }) =>
    line.more === true && seen?.direction === end.direction &&
    (end.id === null || seen.message.id === end.id)
  );
  if (mine === undefined) return;
  const { line } = mine;
  delete line.more;
  line.bytes = end.bytes;
  if (end.code !== undefined) line.code = end.code;
  if (end.status !== undefined) line.status = end.status;
  if (end.fields !== undefined) line.fields = { ...(line.fields as Line), ...end.fields };
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}
