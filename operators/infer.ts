// SPDX-License-Identifier: Apache-2.0
// Operator: finds out which protocol a connection speaks, by asking the probes until one claims
// it, and says on the side output what the kernel should capture of the connection.
//
// Bytes that are not yet claimed are held, in a copy, so that the first message is not lost. The
// end of a connection that nobody claimed is of no interest to anyone behind.

import type { Operator, Outputs, Stage } from "../engine/operator.ts";
import type { ByteRun, StreamRecord } from "../model/byte_run.ts";
import type { Direction } from "../model/capture_record.ts";
import type { Connection } from "../model/connection.ts";
import type { DropReason } from "../model/drops.ts";
import { LIMITS } from "../model/limits.ts";
import type { StreamEnd } from "../model/message.ts";
import { HOUR, MINUTE, type Nanos, SECOND } from "../model/time.ts";
import type { VerdictFor } from "../model/verdict.ts";
import { Claim, type ClaimedRecord, type ClaimOwner } from "./streams/claim.ts";
import { ConnectionStates } from "./streams/connection_states.ts";
import { HeldRuns } from "./streams/held_runs.ts";
import type { AnyProtocol, Registry, Side } from "./wire/registry.ts";

export interface InferParams {
  readonly registry: Registry;
  /** Byte-counted exchanges for TCP connections that nobody claims; they are ignored otherwise. */
  readonly unknownTcp: boolean;
}

export const infer: Operator<StreamRecord, ClaimedRecord, InferParams, VerdictFor, DropReason> = {
  name: "infer",
  limits: ["connections", "probeBytes"],
  open: (params, out) => openStage(params, out),
};

type Out = Outputs<ClaimedRecord, VerdictFor, DropReason>;

interface Asked {
  used: number;
  readonly tcp: boolean;
  lastNs: Nanos;
  claim: Claim | null;
  /** Runs that wait for a claim; null when none do. */
  held: HeldRuns | null;
  /** Bytes and runs seen without a claim. */
  bytes: number;
  runs: number;
  /** Changes of direction among them, and the direction of the last one. */
  turns: number;
  last: Direction | null;
  refuted: Set<AnyProtocol> | null;
  /** How often a protocol has handed it on to whoever speaks behind it. */
  handedOn: number;
  /** Nobody knows it; asked again when it still sends at this time. */
  unknownUntilNs: Nanos;
}

/** Runs without a claim after which a connection stays unknown, however short they are. */
const RUNS_MAX = 32;
/** A connection joined in mid-message is asked for longer: at least so many bursts. */
const JOINED_TURNS_MIN = 5;
const JOINED_RUNS_MAX = 256;
/** A protocol that hands a connection on more often is not asked again. */
const HAND_ONS_MAX = 4;
/** Sockets whose end was not told are forgotten after this time without bytes; TCP's is told. */
const IDLE_NS: Nanos = 2n * MINUTE;
const TCP_IDLE_NS: Nanos = 2n * HOUR;
const SWEEP_NS: Nanos = 30n * SECOND;
/** An unknown connection is asked again after this: it may have been joined in mid-message. */
const UNKNOWN_NS: Nanos = 60n * SECOND;
const probeMax = LIMITS.probeBytes.value;

function openStage(params: InferParams, out: Out): Stage<StreamRecord> {
  const { registry } = params;
  const unknown = params.unknownTcp ? registry.byName("unknown") : undefined;
  const states = new ConnectionStates<Asked>(() => out.drop("connections_full"));
  let sweepNs: Nanos = 0n;

  const push = (record: StreamRecord): void => {
    if (record.kind === "stream_end") return end(record);
    // All peers of a datagram socket share its claim: the event names the socket itself.
    const conn = record.event.connection.conn;
    const asked = states.get(conn) ?? states.add(conn, newAsked(record));
    asked.lastNs = record.emitNs;
    const claim = asked.claim;
    if (claim !== null && claim.over === "no") out.emit({ record, claim });
    else ask(asked, record);
  };

  const ask = (asked: Asked, run: ByteRun): void => {
    if (asked.claim !== null) drop(asked, asked.claim, out);
    if (run.emitNs < asked.unknownUntilNs) return;
    if (asked.unknownUntilNs > 0n) forget(asked);
    const { direction, connection } = run.event;
    asked.bytes += run.length;
    asked.runs++;
    if (asked.last !== direction) asked.turns++;
    asked.last = direction;
    const held = connection.transport === "udp" ? null : asked.held;
    const bytes = held === null ? run.bytes : held.bytesWith(run);
    const length = held === null ? run.length : held.lengthWith(run);
    const answer = registry.ask(connection.transport, bytes, length, asked.refuted);
    if (answer.kind === "claimed") {
      claimFor(asked, answer.protocol, requestsOf(answer.side, direction), connection, run);
    } else if (isHopeless(asked, connection)) giveUp(asked, run);
    else if (answer.kind === "undecided") (asked.held ??= new HeldRuns()).add(run);
    else if (unknown !== undefined) (asked.held ??= new HeldRuns()).addApart(run);
    else asked.held?.clear(direction);
  };

  /** Hands on all that is held, and after it `run`, which was asked about last. */
  const claimFor = (
    asked: Asked,
    protocol: AnyProtocol,
    requests: Direction | null,
    connection: Connection,
    run?: ByteRun,
  ): void => {
    const claim = new Claim(protocol, connection.transport, requests, owner);
    const held = asked.held;
    asked.claim = claim;
    asked.held = null;
    out.side({ connection, verdict: protocol === unknown ? "count" : protocol.capture });
    for (const record of held?.runs ?? []) out.emit({ record, claim });
    if (run === undefined) return;
    if (claim.over === "no") out.emit({ record: run, claim });
    else ask(asked, run);
  };

  const giveUp = (asked: Asked, run: ByteRun): void => {
    const { connection, direction } = run.event;
    if (unknown !== undefined && connection.transport === "tcp") {
      const first = asked.held?.runs[0]?.event.direction ?? direction;
      claimFor(asked, unknown, first, connection, run);
      return;
    }
    asked.unknownUntilNs = run.emitNs + UNKNOWN_NS;
    asked.held = null;
    out.side({ connection, verdict: "ignore" });
  };

  const end = (record: StreamEnd): void => {
    const conn = record.connection.conn;
    const asked = states.get(conn);
    if (asked === undefined) return;
    if (record.direction === "both") {
      states.remove(conn);
      if (asked.claim === null) settle(asked);
    }
    if (asked.claim !== null) out.emit({ record, claim: asked.claim });
  };

  /** No more bytes will come: the best claim on what is held decides. */
  const settle = (asked: Asked): void => {
    const held = asked.held;
    const first = held?.runs[0];
    if (held === null || first === undefined) return;
    const { connection } = first.event;
    for (const direction of ["egress", "ingress"] as const) {
      const bytes = held.bytesOf(direction);
      const { transport } = connection;
      const answer = registry.settle(transport, bytes, bytes.length, asked.refuted);
      if (answer.kind !== "claimed") continue;
      return claimFor(asked, answer.protocol, requestsOf(answer.side, direction), connection);
    }
    if (unknown !== undefined && connection.transport === "tcp") {
      claimFor(asked, unknown, first.event.direction, connection);
    }
  };

  const owner: ClaimOwner = {
    switchTo(claim, name, connection) {
      const protocol = registry.byName(name);
      if (protocol !== undefined) {
        claim.speak(protocol, connection.transport);
        out.side({ connection, verdict: protocol.capture });
        return;
      }
      claim.over = "released";
      const asked = states.get(connection.conn);
      if (asked === undefined) return;
      if (name === "") {
        // Bytes that have one header behind the other would go round for ever.
        if (++asked.handedOn > HAND_ONS_MAX) (asked.refuted ??= new Set()).add(claim.protocol);
        return;
      }
      // A protocol that nobody reads: there is nothing more to learn from this connection.
      asked.unknownUntilNs = FOREVER;
      out.side({ connection, verdict: "ignore" });
    },
    giveBack: push,
    copyMore: (connection, verdict) => out.side({ connection, verdict }),
  };

  return {
    push,
    advance(watermarkNs) {
      if (watermarkNs < sweepNs) return;
      sweepNs = watermarkNs + SWEEP_NS;
      for (const [conn, asked] of states.entries()) {
        const idleNs = asked.tcp ? TCP_IDLE_NS : IDLE_NS;
        if (asked.lastNs + idleNs < watermarkNs) states.remove(conn);
      }
    },
    end() {
      for (const asked of states.values()) if (asked.claim === null) settle(asked);
    },
    held: () => states.size,
  };
}

const FOREVER: Nanos = 1n << 62n;

const newAsked = (run: ByteRun): Asked => ({
  used: 0,
  tcp: run.connection.transport === "tcp",
  lastNs: run.emitNs,
  claim: null,
  held: null,
  bytes: 0,
  runs: 0,
  turns: 0,
  last: null,
  refuted: null,
  handedOn: 0,
  unknownUntilNs: 0n,
});

/** Enough was seen of the connection to say that nobody knows it. */
function isHopeless(asked: Asked, connection: Connection): boolean {
  if (asked.held !== null && asked.held.bytes >= probeMax) return true;
  if (connection.joinedMidstream && asked.turns < JOINED_TURNS_MIN) {
    return asked.runs >= JOINED_RUNS_MAX;
  }
  return asked.bytes >= probeMax || asked.runs >= RUNS_MAX;
}

/** Takes a claim that is over off the connection. */
function drop(asked: Asked, claim: Claim, out: Out): void {
  if (claim.over === "refuted") {
    out.drop("claim_withdrawn");
    (asked.refuted ??= new Set()).add(claim.protocol);
  }
  asked.claim = null;
  asked.bytes = 0;
  asked.runs = 0;
  asked.turns = 0;
}

/** Starts over with a connection that was unknown. */
function forget(asked: Asked): void {
  asked.unknownUntilNs = 0n;
  asked.bytes = 0;
  asked.runs = 0;
  asked.turns = 0;
  asked.refuted = null;
}

function requestsOf(side: Side, direction: Direction): Direction | null {
  if (side === "either") return null;
  if (side === "request") return direction;
  return direction === "ingress" ? "egress" : "ingress";
}
