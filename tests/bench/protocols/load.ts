// SPDX-License-Identifier: Apache-2.0
// Bytes of connections for a reader, and one pass of them through it.

import type { ByteRun } from "../../../model/byte_run.ts";
import type { DecodeEvent } from "../../../model/message.ts";
import { decode } from "../../../operators/decode.ts";
import { Claim } from "../../../operators/streams/claim.ts";
import type { AnyProtocol } from "../../../operators/wire/registry.ts";
import type { Talk } from "../../fuzz/corpus.ts";
import { Conversation } from "../../support/wire/conversation.ts";

/** One connection: what passed on it, in order. */
export interface Load {
  readonly talk: Talk;
  readonly runs: readonly ByteRun[];
}

export function loadOf(talk: Talk): Load {
  const conversation = new Conversation({ transport: talk.transport, role: "client" });
  const runs = talk.steps.flatMap((step): ByteRun[] => {
    if (step.kind !== "call") return [];
    const padded = new Uint8Array(step.length);
    padded.set(step.bytes);
    const event = conversation.call(step.up ? "egress" : "ingress", padded, {
      captured: step.bytes.length,
    });
    const { connection, streamOffset: offset, length, payload: bytes, emitNs } = event;
    return [{ kind: "bytes", connection, event, offset, gap: 0, length, bytes, emitNs }];
  });
  return { talk, runs };
}

/** Returns what passes the loads, each as a new connection, and counts the messages. */
export function reader(protocol: AnyProtocol, loads: readonly Load[]): () => number {
  let messages = 0;
  const stage = decode.open(undefined, {
    emit: (event: DecodeEvent) => void (messages += event.kind === "message" ? 1 : 0),
    side() {},
    drop() {},
  });
  return () => {
    messages = 0;
    for (const { talk, runs } of loads) {
      const claim = new Claim(protocol, talk.transport, null, OWNER);
      for (const record of runs) if (claim.over === "no") stage.push({ claim, record });
    }
    return messages;
  };
}

const OWNER = {
  switchTo: (claim: Claim) => void (claim.over = "released"),
  giveBack() {},
  copyMore() {},
};

export const bytesOf = (loads: readonly Load[]): number =>
  loads.reduce((sum, { runs }) => runs.reduce((bytes, run) => bytes + run.length, sum), 0);
