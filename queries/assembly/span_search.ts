// SPDX-License-Identifier: Apache-2.0
// What a search has found, and what it has to look for next.

import { HOP_RULES, hopKey, type Key, type ParentRule } from "../../model/parent_rules.ts";
import { isDelivered } from "../../model/queues/envelope.ts";
import { MESSAGE_RULES } from "../../model/queues/message_rules.ts";
import type { Span } from "../../model/span.ts";
import { POSSIBLE_FROM } from "./assembly_rules.ts";
import type { SearchKeys, UnixPlace } from "./span_query.ts";

/** A class for its invariant: every key is asked for once, and every span in hand was joined. */
export class SpanSearch {
  readonly spans = new Map<bigint, Span>();
  startNs = 0n;
  endNs = 0n;
  #fresh: Span[] = [];
  readonly #parents = new Set<bigint>();
  readonly #traceIds = new Set<string>();
  readonly #requestIds = new Set<string>();
  readonly #hops = new Map<Key, Span[]>();
  readonly #messages = new Map<Key, Span[]>();
  #keys = emptyKeys();

  constructor(spanId: bigint) {
    this.#parents.add(spanId);
    this.#keys.span_id.push(spanId);
  }

  get isExhausted(): boolean {
    return Object.values(this.#keys).every((values) => values.length === 0);
  }

  get missesParents(): boolean {
    return this.#missing().length > 0;
  }

  askParentsAgain(): void {
    this.#keys.span_id.push(...this.#missing());
  }

  /** The keys not asked for yet; they count as asked for from now on. */
  nextKeys(): SearchKeys {
    const keys = this.#keys;
    this.#keys = emptyKeys();
    return keys;
  }

  /** Takes the spans that belong to those in hand; others shared a key by chance. */
  take(found: readonly Span[]): void {
    let left = [...found];
    for (let taken = -1; taken !== 0;) {
      const strangers = left.filter((span) => !this.#takeOne(span));
      taken = left.length - strangers.length;
      left = strangers;
      for (const span of this.#fresh) this.#seek(span);
      this.#fresh = [];
    }
  }

  /** True if it belongs to those in hand. */
  #takeOne(span: Span): boolean {
    const known = this.spans.get(span.span_id);
    if (known === undefined) {
      if (!this.#belongs(span)) return false;
      this.#add(span);
    } else if (span.revision > known.revision) this.#replace(span);
    return true;
  }

  #missing(): bigint[] {
    return [...this.#parents].filter((id) => !this.spans.has(id));
  }

  #belongs(span: Span): boolean {
    if (this.#parents.has(span.span_id)) return true;
    if (span.parent_span_id !== null && this.spans.has(span.parent_span_id)) return true;
    if (span.trace_id_header !== null && this.#traceIds.has(span.trace_id_header)) return true;
    if (span.x_request_id !== null && this.#requestIds.has(span.x_request_id)) return true;
    return isTied(span, hopKey(span), this.#hops, HOP_RULES) ||
      isTied(span, messageKey(span), this.#messages, MESSAGE_RULES);
  }

  #replace(span: Span): void {
    this.spans.set(span.span_id, span);
    this.#fresh.push(span);
  }

  #add(span: Span): void {
    if (this.spans.size === 0 || span.start_unix_ns < this.startNs) {
      this.startNs = span.start_unix_ns;
    }
    if (span.end_unix_ns > this.endNs) this.endNs = span.end_unix_ns;
    this.spans.set(span.span_id, span);
    this.#fresh.push(span);
    note(span, hopKey(span), this.#hops);
    note(span, messageKey(span), this.#messages);
  }

  /** Notes what to ask for because of a span. */
  #seek(span: Span): void {
    const keys = this.#keys;
    keys.parent_span_id.push(span.span_id);
    const parent = span.parent_span_id;
    const isApp = span.observer === "app";
    if (parent !== null && (isApp || span.link_confidence >= POSSIBLE_FROM)) this.#seekId(parent);
    if (span.trace_id_header !== null && !this.#traceIds.has(span.trace_id_header)) {
      this.#traceIds.add(span.trace_id_header);
      keys.trace_id_header.push(span.trace_id_header);
    }
    if (span.x_request_id !== null && !this.#requestIds.has(span.x_request_id)) {
      this.#requestIds.add(span.x_request_id);
      keys.x_request_id.push(span.x_request_id);
    }
    this.#seekMessage(span);
    if (span.transport === "udp" && span.request_id !== null) keys.request_id.push(span.request_id);
    if (span.transport === "unix") keys.unix.push(placeOf(span));
    if (span.transport === "tcp" && span.request_seq !== null) {
      keys.request_seq.push(span.request_seq);
    }
  }

  /** The publication of a delivery that leads nowhere else, or the deliveries of a publication. */
  #seekMessage(span: Span): void {
    const key = messageKey(span);
    if (span.message_key === null || typeof key !== "bigint") return;
    const isDelivery = isDelivered(BigInt(span.message_key));
    this.#keys.message_key.push(isDelivery ? key : key | 1n);
  }

  #seekId(id: bigint): void {
    if (this.#parents.has(id)) return;
    this.#parents.add(id);
    if (!this.spans.has(id)) this.#keys.span_id.push(id);
  }
}

/** SearchKeys that still grow. */
interface GrowingKeys extends SearchKeys {
  span_id: bigint[];
  parent_span_id: bigint[];
  request_seq: number[];
  trace_id_header: string[];
  x_request_id: string[];
  message_key: bigint[];
  request_id: string[];
  unix: UnixPlace[];
}

function emptyKeys(): GrowingKeys {
  return {
    span_id: [],
    parent_span_id: [],
    request_seq: [],
    trace_id_header: [],
    x_request_id: [],
    message_key: [],
    request_id: [],
    unix: [],
  };
}

function placeOf(span: Span): UnixPlace {
  const isServer = span.kind === "server" || span.kind === "consumer";
  const reader = BigInt(isServer ? span.socket_id : span.peer_socket_id);
  return { reader, offset: span.request_offset };
}

/** What a publication and the deliveries that lead nowhere else have in common. */
function messageKey(span: Span): Key | null {
  if (span.message_key === null) return null;
  for (const { childKey, parentKey } of MESSAGE_RULES) {
    const key = childKey(span) ?? parentKey(span);
    if (key !== null) return key;
  }
  return null;
}

function note(span: Span, key: Key | null, known: Map<Key, Span[]>): void {
  if (key === null) return;
  const others = known.get(key);
  if (others === undefined) known.set(key, [span]);
  else others.push(span);
}

/** Whether one of the rules joins it with a span in hand. */
function isTied(
  span: Span,
  key: Key | null,
  known: ReadonlyMap<Key, readonly Span[]>,
  rules: readonly ParentRule[],
): boolean {
  const others = key === null ? [] : known.get(key) ?? [];
  return others.some((other) => joins(span, other, rules) || joins(other, span, rules));
}

function joins(child: Span, parent: Span, rules: readonly ParentRule[]): boolean {
  return rules.some((rule) => {
    const key = rule.childKey(child);
    return key !== null && key === rule.parentKey(parent) && rule.fits(child, parent) > 0;
  });
}
