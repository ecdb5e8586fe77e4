// SPDX-License-Identifier: Apache-2.0
// One connection's exchanges: requests wait here for their responses.

import type { Direction } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";
import type { DropReason } from "../../model/drops.ts";
import type { SessionEvent } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageEnd, MessageSeen, StreamEnd } from "../../model/message.ts";
import type { Status } from "../../model/status.ts";
import { type Nanos, SECOND } from "../../model/time.ts";
import { deliveriesOf } from "./deliveries.ts";
import { endRequest, endResponse, newExchange, respond } from "./exchange.ts";
import { InProgress } from "./in_progress.ts";
import { type Open, OpenExchanges } from "./open_exchanges.ts";
import { Order } from "./order.ts";
import { type SpanIds, spanIds } from "./span_id.ts";

/** Where a session sends what it makes, and the rules of its protocol. */
export interface SessionRules {
  readonly byOrder: boolean;
  readonly multiplexed: boolean;
  readonly timeoutNs: Nanos;
  readonly bootId: string;
  emit(kind: SessionEvent["kind"], open: Open, emitNs: Nanos): void;
  drop(reason: DropReason, n?: number): void;
}

/** An exchange still open after this gets a span at once. */
const STREAMING_NS: Nanos = SECOND;
/** How long a response waits for a request that is recorded after it. */
const ORPHAN_NS: Nanos = SECOND / 4n;
const openMax = LIMITS.openExchanges.value;

/** A response without a request, and its end, if that came apart and has come. */
interface Orphan {
  readonly seen: MessageSeen;
  end: MessageEnd | null;
}

export class Session {
  used = 0;
  readonly protocol: string;
  lastNs: Nanos = 0n;
  readonly #rules: SessionRules;
  readonly #ids: SpanIds;
  /** By the direction that requests go in. */
  readonly #ingress: OpenExchanges;
  readonly #egress: OpenExchanges;
  /** Messages in progress in each direction. */
  readonly #moreIngress: InProgress;
  readonly #moreEgress: InProgress;
  readonly #order = new Order();
  /** Several requests were under way at once. */
  #pipelined = false;
  /** Responses without a request so far, oldest first. */
  #orphans: Orphan[] = [];

  constructor(protocol: string, connection: Connection, rules: SessionRules) {
    this.protocol = protocol;
    this.#rules = rules;
    this.#ids = spanIds(rules.bootId, connection);
    this.#ingress = new OpenExchanges(rules.byOrder);
    this.#egress = new OpenExchanges(rules.byOrder);
    this.#moreIngress = new InProgress(rules.multiplexed);
    this.#moreEgress = new InProgress(rules.multiplexed);
  }

  get open(): number {
    return this.#ingress.size + this.#egress.size + this.#orphans.length +
      this.#moreIngress.size + this.#moreEgress.size;
  }

  message(seen: MessageSeen): void {
    this.lastNs = seen.emitNs;
    this.#endMore(seen.direction);
    const kind = seen.message.kind;
    if (kind === "oneway") return this.#oneway(seen);
    if (this.#order.lost && !this.#order.foundBy(kind, seen.emitNs)) {
      return this.#rules.drop("order_lost");
    }
    if (kind === "request") this.#request(seen);
    else this.#response(seen, null);
  }

  #request(seen: MessageSeen): void {
    const opens = seen.direction === "ingress" ? this.#ingress : this.#egress;
    const { byOrder, timeoutNs } = this.#rules;
    const waiting = opens.first();
    if (byOrder && waiting !== undefined && !waiting.over) this.#pipelined = true;
    const { message } = seen;
    if (opens.size >= openMax || !byOrder) this.#makeRoom(opens, seen);
    const open: Open = {
      exchange: newExchange(this.#ids.of(seen.direction, seen.offset), seen),
      id: message.id,
      deadlineNs: seen.emitNs + timeoutNs,
      requestDone: !message.more,
      responseDone: false,
      streamed: false,
      over: false,
    };
    opens.add(open);
    if (message.more) this.#more(seen.direction).add(message.id, open);
    this.#rules.emit("opened", open, seen.emitNs);
    // What was clipped may hold further requests.
    if (message.clipped && message.more && this.#pipelined) this.#loseOrder(seen.emitNs);
    if (this.#orphans.length > 0) this.#adopt(seen);
  }

  /** By id: one that bears the same id is given up. By order: too many means that order is lost. */
  #makeRoom(opens: OpenExchanges, seen: MessageSeen): void {
    if (!this.#rules.byOrder) {
      const same = opens.take(seen.message.id);
      if (same !== undefined && !same.over) this.#close(same, "timeout", seen.emitNs);
    }
    if (opens.size < openMax) return;
    this.#rules.drop("open_full");
    if (this.#rules.byOrder) return this.#loseOrder(seen.emitNs);
    const oldest = opens.take(opens.first()?.id ?? null);
    if (oldest !== undefined && !oldest.over) this.#close(oldest, "unknown", seen.emitNs);
  }

  #response(seen: MessageSeen, end: MessageEnd | null): void {
    const opens = seen.direction === "ingress" ? this.#egress : this.#ingress;
    const open = opens.find(seen.message.id);
    if (open === undefined) {
      if (this.#orphans.length >= openMax) this.#flushOrphans();
      this.#orphans.push({ seen, end });
      return;
    }
    // It was over before that request began: its own request was not seen.
    if (seen.emitNs < open.exchange.startNs) return this.#responseOnly({ seen, end });
    opens.take(seen.message.id);
    if (open.over) this.#rules.drop("late");
    else this.#pair(open, seen, end);
  }

  #pair(open: Open, seen: MessageSeen, end: MessageEnd | null): void {
    respond(open.exchange, seen);
    if (end !== null) endResponse(open.exchange, end);
    else if (seen.message.more) {
      this.#more(seen.direction).add(seen.message.id, open);
      this.#rules.emit("responded", open, seen.emitNs);
      return;
    }
    open.responseDone = true;
    if (open.requestDone) this.#close(open, null, seen.emitNs);
  }

  /** A request came: responses that were recorded before it, but not moved before it, are its. */
  #adopt(request: MessageSeen): void {
    const orphans = this.#orphans;
    this.#orphans = [];
    for (const orphan of orphans) {
      const { seen, end } = orphan;
      const mine = seen.direction !== request.direction && seen.emitNs >= request.startNs &&
        seen.message.id === request.message.id;
      if (mine) this.#response(seen, end);
      else if (!this.#rules.byOrder && seen.emitNs + ORPHAN_NS > request.emitNs) {
        this.#orphans.push(orphan);
      } else this.#responseOnly(orphan);
    }
  }

  #flushOrphans(): void {
    for (const orphan of this.#orphans) this.#responseOnly(orphan);
    this.#orphans = [];
  }

  #responseOnly({ seen, end }: Orphan): void {
    this.#rules.drop("unpaired_response");
    const open = this.#alone(seen);
    respond(open.exchange, seen);
    if (end !== null) endResponse(open.exchange, end);
    this.#close(open, null, open.exchange.endNs);
  }

  #oneway(seen: MessageSeen): void {
    const open = this.#alone(seen);
    this.#rules.emit("opened", open, seen.emitNs);
    if (seen.message.more) this.#more(seen.direction).add(seen.message.id, open);
    else this.#close(open, null, seen.emitNs);
  }

  /** An exchange of one message. */
  #alone(seen: MessageSeen): Open {
    return {
      exchange: newExchange(this.#ids.of(seen.direction, seen.offset), seen),
      id: null,
      deadlineNs: seen.emitNs,
      requestDone: false,
      responseDone: true,
      streamed: false,
      over: false,
    };
  }

  messageEnd(end: MessageEnd): void {
    this.lastNs = end.emitNs;
    const open = this.#more(end.direction).take(end.id);
    if (open === undefined) return end.status === "reset" ? this.#reset(end) : this.#endOrphan(end);
    if (open.over) return;
    if (open.exchange.request?.direction === end.direction) {
      endRequest(open.exchange, end);
      open.requestDone = true;
      if (end.status === "reset" && open.exchange.shape !== "one_way") {
        return this.#close(open, "reset", end.emitNs);
      }
    } else {
      endResponse(open.exchange, end);
      open.responseDone = true;
    }
    if (open.requestDone && open.responseDone) this.#close(open, null, end.emitNs);
  }

  /** A response that had not begun is not wanted any more. */
  #reset(end: MessageEnd): void {
    const opens = end.direction === "ingress" ? this.#egress : this.#ingress;
    const open = this.#rules.byOrder ? undefined : opens.take(end.id);
    if (open === undefined || open.over) return;
    endResponse(open.exchange, end);
    this.#close(open, "reset", end.emitNs);
  }

  #endOrphan(end: MessageEnd): void {
    const orphan = this.#orphans.findLast(({ seen }) =>
      seen.direction === end.direction && seen.message.more &&
      (end.id === null || end.id === seen.message.id)
    );
    if (orphan !== undefined && orphan.end === null) orphan.end = end;
  }

  /** The message in progress was not ended, yet another comes: it ended with its last byte. */
  #endMore(direction: Direction): void {
    const open = this.#more(direction).takeSingle();
    if (open === undefined || open.over) return;
    if (open.exchange.request?.direction === direction) open.requestDone = true;
    else open.responseDone = true;
    if (open.requestDone && open.responseDone) this.#close(open, null, open.exchange.endNs);
  }

  streamEnd(end: StreamEnd): void {
    this.lastNs = end.emitNs;
    const { direction, emitNs, reason } = end;
    if (reason === "lost") return this.#lost(direction, emitNs);
    if (reason === "unread") return this.#unread(direction, emitNs);
    // Responses that would have come this way will not come.
    this.#flushOrphans();
    for (const way of ["ingress", "egress"] as const) {
      if (direction === "both" || direction !== way) this.#resetAll(way, emitNs);
    }
  }

  #resetAll(requests: Direction, emitNs: Nanos): void {
    const opens = requests === "ingress" ? this.#ingress : this.#egress;
    for (const open of opens.all()) if (!open.over) this.#close(open, "reset", emitNs);
    opens.clear();
    for (const more of [this.#moreIngress, this.#moreEgress]) {
      for (const open of more.all()) {
        if (open.exchange.request?.direction !== requests) continue;
        // Answered before it was sent to its end: it has its response all the same.
        if (!open.over) this.#close(open, open.responseDone ? null : "reset", emitNs);
        more.remove(open);
      }
    }
  }

  /** Bytes were lost in a direction. */
  #lost(direction: StreamEnd["direction"], emitNs: Nanos): void {
    if (direction === "both") {
      for (const way of ["ingress", "egress"] as const) this.#giveUpAll(way, emitNs);
    } else if (!this.#rules.byOrder) return;
    else if (this.#pipelined) this.#loseOrder(emitNs);
    // One exchange at a time: its response passed, or passes, unread.
    else this.#giveUpAll(direction === "ingress" ? "egress" : "ingress", emitNs);
  }

  /** Until then bytes passed unread: answers to what began before may be among them. */
  #unread(direction: StreamEnd["direction"], emitNs: Nanos): void {
    if (!this.#rules.byOrder) return;
    const opens = direction === "ingress" ? this.#egress : this.#ingress;
    for (let open = opens.first(); open !== undefined; open = opens.first()) {
      if (open.exchange.startNs >= emitNs) return;
      opens.take(open.id);
      if (!open.over) this.#giveUp(open, emitNs);
    }
  }

  #loseOrder(emitNs: Nanos): void {
    let n = 0;
    for (const way of ["ingress", "egress"] as const) n += this.#giveUpAll(way, emitNs);
    if (n > 0) this.#rules.drop("order_lost", n);
    this.#order.lose();
    this.#pipelined = false;
  }

  #giveUpAll(requests: Direction, emitNs: Nanos): number {
    const opens = requests === "ingress" ? this.#ingress : this.#egress;
    let n = 0;
    for (const open of opens.all()) {
      if (open.over) continue;
      this.#giveUp(open, emitNs);
      n++;
    }
    opens.clear();
    return n;
  }

  #giveUp(open: Open, emitNs: Nanos): void {
    open.exchange.clipped = true;
    this.#close(open, "unknown", emitNs);
  }

  /** Ends what is due, and shows what has been open for long. */
  advance(watermarkNs: Nanos): void {
    for (const opens of [this.#ingress, this.#egress]) {
      if (opens.size === 0) continue;
      for (const open of opens.all()) {
        if (open.over) continue;
        if (open.requestDone && open.deadlineNs <= watermarkNs) {
          this.#close(open, "timeout", open.deadlineNs);
        } else this.#stream(open, watermarkNs);
      }
    }
    for (const more of [this.#moreIngress, this.#moreEgress]) {
      if (more.size === 0) continue;
      for (const open of more.all()) if (!open.over) this.#stream(open, watermarkNs);
    }
    const orphan = this.#orphans[0]?.seen;
    if (orphan !== undefined && orphan.emitNs + ORPHAN_NS <= watermarkNs) this.#flushOrphans();
  }

  #stream(open: Open, watermarkNs: Nanos): void {
    if (open.streamed || open.exchange.startNs + STREAMING_NS > watermarkNs) return;
    open.streamed = true;
    open.exchange.shape = "open";
    this.#rules.emit("streaming", open, watermarkNs);
  }

  /** The run is over: what is still open is said to be so. */
  end(): void {
    this.#flushOrphans();
    for (const opens of [this.#ingress, this.#egress]) {
      for (const open of opens.all()) this.#endOpen(open);
      opens.clear();
    }
    for (const more of [this.#moreIngress, this.#moreEgress]) {
      for (const open of more.all()) this.#endOpen(open);
    }
  }

  #endOpen(open: Open): void {
    if (open.over) return;
    open.over = true;
    open.exchange.shape = "open";
    if (open.exchange.endNs < this.lastNs) open.exchange.endNs = this.lastNs;
    this.#rules.emit("closed", open, open.exchange.endNs);
  }

  /** `status` null: as the response says. */
  #close(open: Open, status: Status | null, emitNs: Nanos): void {
    const { exchange } = open;
    open.over = true;
    if (status !== null) exchange.status = status;
    if (status !== null && emitNs > exchange.endNs) exchange.endNs = emitNs;
    if (exchange.shape === "open") exchange.shape = "exchange";
    this.#rules.emit("closed", open, emitNs);
    for (const seen of deliveriesOf(exchange)) this.#oneway(seen);
  }

  #more(direction: Direction): InProgress {
    return direction === "ingress" ? this.#moreIngress : this.#moreEgress;
  }
}
