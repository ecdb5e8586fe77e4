// SPDX-License-Identifier: Apache-2.0
// Operator: messages to exchanges. A keyed session window: one session per connection pairs
// requests with responses, by their order or by the protocol's id, within a time of event time.

import type { Operator, Outputs, Stage } from "../engine/operator.ts";
import type { DropReason } from "../model/drops.ts";
import type { SessionEvent } from "../model/exchange.ts";
import type { DecodeEvent, MessageSeen } from "../model/message.ts";
import { MILLISECOND, MINUTE, type Nanos } from "../model/time.ts";
import { Session, type SessionRules } from "./sessions/session.ts";
import { ConnectionStates } from "./streams/connection_states.ts";
import type { Registry } from "./wire/registry.ts";

export interface SessionParams {
  /** How each protocol pairs, and how long its requests wait. */
  readonly registry: Registry;
  /** Names the boot of the host: part of span ids. */
  readonly bootId: string;
}

export const sessionWindow: Operator<
  DecodeEvent,
  SessionEvent,
  SessionParams,
  never,
  DropReason
> = {
  name: "session_window",
  limits: ["connections", "openExchanges"],
  open: (params, out) => openStage(params, out),
};

/** Timers are looked at in steps of event time. */
const STEP_NS: Nanos = 250n * MILLISECOND;
/** A session that has nothing open is forgotten after this. */
const IDLE_NS: Nanos = 2n * MINUTE;

function openStage(
  params: SessionParams,
  out: Outputs<SessionEvent, never, DropReason>,
): Stage<DecodeEvent> {
  const rulesOf = rulesByProtocol(params, out);
  const sessions = new ConnectionStates<Session>((session) => {
    out.drop("connections_full");
    session.end();
  });
  let nextStepNs: Nanos = 0n;

  const sessionOf = (seen: MessageSeen): Session => {
    const conn = seen.connection.conn;
    const held = sessions.get(conn);
    if (held !== undefined && held.protocol === seen.protocol) return held;
    // A connection that switched protocols starts anew; what the old one left open ends.
    held?.end();
    const session = new Session(seen.protocol, seen.connection, rulesOf(seen.protocol));
    return sessions.add(conn, session);
  };

  return {
    push(event) {
      if (event.kind === "message") return sessionOf(event).message(event);
      const session = sessions.get(event.connection.conn);
      if (session === undefined) return;
      if (event.kind === "message_end") return session.messageEnd(event);
      session.streamEnd(event);
      if (event.direction === "both") sessions.remove(event.connection.conn);
    },
    advance(watermarkNs) {
      if (watermarkNs < nextStepNs) return;
      nextStepNs = watermarkNs - watermarkNs % STEP_NS + STEP_NS;
      for (const [conn, session] of sessions.entries()) {
        if (session.open > 0) session.advance(watermarkNs);
        else if (session.lastNs + IDLE_NS < watermarkNs) sessions.remove(conn);
      }
    },
    end() {
      for (const session of sessions.values()) session.end();
    },
    held: () => sessions.size,
  };
}

function rulesByProtocol(
  params: SessionParams,
  out: Outputs<SessionEvent, never, DropReason>,
): (protocol: string) => SessionRules {
  const rules = new Map<string, SessionRules>();
  return (name) => {
    let found = rules.get(name);
    if (found === undefined) {
      const protocol = params.registry.byName(name);
      found = {
        byOrder: protocol?.pairing !== "id",
        multiplexed: protocol?.multiplexed === true,
        timeoutNs: protocol?.timeoutNs ?? 2n * MINUTE,
        bootId: params.bootId,
        emit: (kind, open, emitNs) => out.emit({ kind, exchange: open.exchange, emitNs }),
        drop: out.drop,
      };
      rules.set(name, found);
    }
    return found;
  };
}
