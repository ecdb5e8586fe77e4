// SPDX-License-Identifier: Apache-2.0
// Operator: how right links are here and now. Requests that carry ids are a free test set: they are
// linked once more with the ids taken out of them, and the result is compared with what ids tell.
//
// It runs the very operator that links, on copies without ids, and only for programs that read
// requests with ids. A busy program is looked at for a part of each minute. Calls of requests that
// began unwatched are not counted: their parent could not be found.

import type { Join, JoinOperator, Outputs } from "../engine/operator.ts";
import type { Fact } from "../model/capture_record.ts";
import type { Exchange, SessionEvent } from "../model/exchange.ts";
import { LIMITS } from "../model/limits.ts";
import { type Candidate, CERTAIN_FROM } from "../model/link.ts";
import type { LinkedExchange } from "../model/linked_exchange.ts";
import type { MessageSeen } from "../model/message.ts";
import type { Program } from "../model/process.ts";
import { MILLISECOND, MINUTE, type Nanos } from "../model/time.ts";
import { link } from "./link/link.ts";

/** One link of which the ids tell the truth. "uncertain": it would not have been drawn as fact. */
export interface LinkCheck {
  /** Who sent the request. */
  readonly program: Program;
  readonly outcome: "agreed" | "differed" | "uncertain";
}

export const selfCheck: JoinOperator<SessionEvent, Fact | LinkedExchange, LinkCheck, void> = {
  name: "self_check",
  limits: ["programs", "selfCheckPerMinute", "linkWindowMs"],
  open: (_params, out) => openSelfCheck(out),
};

/** A program that reads ids. */
interface Watched {
  minuteNs: Nanos;
  opened: number;
}

/** A call of which one side is known: where it belongs, or where it was put without ids. */
interface Waiting {
  readonly program: Program;
  readonly truth: bigint | null;
  readonly found: Candidate | null;
}

/** After so long both sides are known: linking has given up waiting, too. */
const windowNs: Nanos = BigInt(LIMITS.linkWindowMs.value) * MILLISECOND + 5_000n * MILLISECOND;

function openSelfCheck(out: Outputs<LinkCheck>): Join<SessionEvent, Fact | LinkedExchange> {
  const blind = link.open(undefined, { emit: found, side() {}, drop() {} });
  const watched = new Map<number, Watched>();
  const copies = new Map<Exchange, Exchange>();
  /** Two generations, so that what is forgotten goes without a search. */
  let calls = [new Map<bigint, Waiting>(), new Map<bigint, Waiting>()] as const;
  /** Spans of exchanges that were copied. */
  let seen = [new Set<bigint>(), new Set<bigint>()] as const;
  let turnedNs: Nanos = 0n;

  function found({ exchange, candidates }: LinkedExchange): void {
    const [first] = candidates;
    if (first === undefined) return;
    const known = take(exchange.spanId);
    if (known?.truth === undefined || known.truth === null) {
      calls[0].set(exchange.spanId, { program: exchange.program, truth: null, found: first });
    } else judge(exchange.program, known.truth, first);
  }

  function told({ exchange, candidates }: LinkedExchange): void {
    const [first] = candidates;
    if (first?.evidence !== "identity") return;
    if (!isSeen(exchange.spanId) || !isSeen(first.parent_id)) return;
    const known = take(exchange.spanId);
    if (known === undefined || known.found === null) {
      const truth = { program: exchange.program, truth: first.parent_id, found: null };
      calls[0].set(exchange.spanId, truth);
    } else judge(exchange.program, first.parent_id, known.found);
  }

  const isSeen = (spanId: bigint) => seen.some((each) => each.has(spanId));

  function take(spanId: bigint): Waiting | undefined {
    for (const each of calls) {
      const waiting = each.get(spanId);
      if (waiting === undefined) continue;
      each.delete(spanId);
      return waiting;
    }
    return undefined;
  }

  function judge(program: Program, truth: bigint, { parent_id, score }: Candidate): void {
    const isRight = parent_id === truth;
    const outcome = score < CERTAIN_FROM ? "uncertain" : isRight ? "agreed" : "differed";
    out.emit({ program, outcome });
  }

  function isWatched({ exchange, emitNs }: SessionEvent): boolean {
    const { program, request, connection } = exchange;
    if (request === null || connection.observer !== "process") return false;
    const known = watched.get(program.program);
    if (known === undefined) {
      const startsHere = request.direction === "ingress" && request.message.identity !== null;
      if (!startsHere) return false;
      if (watched.size >= LIMITS.programs.value) forgetOldest();
      watched.set(program.program, { minuteNs: emitNs, opened: 1 });
      return true;
    }
    if (emitNs - known.minuteNs >= MINUTE) {
      known.minuteNs = emitNs;
      known.opened = 0;
    }
    return ++known.opened <= LIMITS.selfCheckPerMinute.value;
  }

  /** Most likely it has exited; if not, its next request with an id brings it back. */
  function forgetOldest(): void {
    for (const oldest of watched.keys()) return void watched.delete(oldest);
  }

  function turn(): void {
    for (const { program, truth } of calls[1].values()) {
      if (truth !== null) out.emit({ program, outcome: "uncertain" });
    }
    calls = [new Map(), calls[0]];
    seen = [new Set(), seen[0]];
  }

  return {
    left(event) {
      const { exchange, kind, emitNs } = event;
      let copy = copies.get(exchange);
      if (copy === undefined) {
        if (kind !== "opened" || !isWatched(event)) return;
        copy = withoutIds(exchange);
        copies.set(exchange, copy);
        seen[0].add(exchange.spanId);
      } else Object.assign(copy, withoutIds(exchange, copy));
      if (kind === "closed") copies.delete(exchange);
      blind.left({ kind, exchange: copy, emitNs });
    },
    right(record) {
      if ("exchange" in record) told(record);
      else if (watched.size > 0) blind.right(record);
    },
    advance(watermarkNs) {
      if (watched.size === 0) return;
      blind.advance(watermarkNs);
      if (watermarkNs - turnedNs < windowNs) return;
      turnedNs = watermarkNs;
      turn();
    },
    end() {
      blind.end();
      turn();
      turn();
    },
    held: () => copies.size + calls[0].size + calls[1].size + blind.held(),
  };
}

/** The exchange as it is now, its messages without ids; those of `earlier` are not copied again. */
function withoutIds(exchange: Exchange, earlier?: Exchange): Exchange {
  const { request, response } = exchange;
  return {
    ...exchange,
    request: earlier?.request ?? anonymous(request),
    response: earlier?.response ?? anonymous(response),
  };
}

function anonymous(seen: MessageSeen | null): MessageSeen | null {
  if (seen === null || seen.message.identity === null) return seen;
  return { ...seen, message: { ...seen.message, identity: null } };
}
