// SPDX-License-Identifier: Apache-2.0
// The chain from socket events to exchanges, run without the engine around it: for tests.

import type { Stage } from "../../../engine/operator.ts";
import type { StreamRecord } from "../../../model/byte_run.ts";
import type { SocketRecord } from "../../../model/capture_record.ts";
import type { SessionEvent } from "../../../model/exchange.ts";
import type { DecodeEvent } from "../../../model/message.ts";
import type { Nanos } from "../../../model/time.ts";
import type { VerdictFor } from "../../../model/verdict.ts";
import { decode } from "../../../operators/decode.ts";
import { infer } from "../../../operators/infer.ts";
import { PROTOCOLS } from "../../../operators/protocols/registry.gen.ts";
import { reassemble } from "../../../operators/reassemble.ts";
import { sessionWindow } from "../../../operators/session_window.ts";
import type { ClaimedRecord } from "../../../operators/streams/claim.ts";
import { createRegistry, type Registry } from "../../../operators/wire/registry.ts";

export interface WireChain {
  push(...records: SocketRecord[]): void;
  advance(watermarkNs: Nanos): void;
  end(): void;
  readonly messages: DecodeEvent[];
  readonly events: SessionEvent[];
  readonly verdicts: VerdictFor[];
  readonly drops: Record<string, number>;
}

export function wireChain(
  { registry = createRegistry(PROTOCOLS), unknownTcp = false }: {
    registry?: Registry;
    unknownTcp?: boolean;
  } = {},
): WireChain {
  const messages: DecodeEvent[] = [];
  const events: SessionEvent[] = [];
  const verdicts: VerdictFor[] = [];
  const drops: Record<string, number> = {};
  const drop = (reason: string, n = 1) => void (drops[reason] = (drops[reason] ?? 0) + n);
  const side = (verdict: VerdictFor) => void verdicts.push(verdict);
  const none = () => {};

  const sessions: Stage<DecodeEvent> = sessionWindow.open({ registry, bootId: "boot" }, {
    emit: (event) => void events.push({ ...event, exchange: { ...event.exchange } }),
    side: none,
    drop,
  });
  const decoding: Stage<ClaimedRecord> = decode.open(undefined, {
    emit(event) {
      messages.push(event);
      sessions.push(event);
    },
    side: none,
    drop,
  });
  const inferring: Stage<StreamRecord> = infer.open({ registry, unknownTcp }, {
    emit: (record) => decoding.push(record),
    side,
    drop,
  });
  const stream = reassemble.open(undefined, {
    emit: (record) => inferring.push(record),
    side: none,
    drop,
  });
  const stages = [stream, inferring, decoding, sessions];
  return {
    push(...records) {
      for (const record of records) stream.push(record);
    },
    advance(watermarkNs) {
      for (const stage of stages) stage.advance(watermarkNs);
    },
    end() {
      for (const stage of stages) stage.end();
    },
    messages,
    events,
    verdicts,
    drops,
  };
}
