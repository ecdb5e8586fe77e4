// SPDX-License-Identifier: Apache-2.0
// What a proxy passed on with the sender's id unchanged: it seems to hang below the sender until
// the span of the proxy's own server comes, which ends later.

import { type Key } from "../../model/parent_rules.ts";
import type { Span, SpanRevision } from "../../model/span.ts";
import { hang, ruleNamed } from "./hang.ts";

export interface PassedOn {
  /** Hangs what the proxy passed on below what it had read. */
  readonly takeBack: (server: Span) => void;
  /** Takes note of a client's span that was hung below an application's, as it came. */
  readonly remember: (came: SpanRevision) => void;
  /** True if it is a later revision of what was taken back, and was so again. */
  readonly isTakenAgain: (came: SpanRevision) => boolean;
}

/** Names of senders that are remembered, and requests that carry one of them. */
const HUNG_MAX = 16_384;
const HUNG_PER_KEY_MAX = 8;

/** A client's span as it came, and the server's span that it was found to belong below. */
interface Hung {
  came: SpanRevision;
  server: Span | null;
}

const passingOn = ruleNamed("client_from_server_passing_on");

export function passedOn(emit: (revision: SpanRevision) => void): PassedOn {
  /** By the sender that the clients' spans name. */
  const hung = new Map<Key, Hung[]>();

  function takeBack(server: Span): void {
    const key = passingOn.parentKey(server);
    const taken = key === null ? undefined : hung.get(key);
    for (const each of taken ?? []) {
      if (each.server?.span_id === server.span_id) continue;
      if (passingOn.fits(each.came.span, server) === 0) continue;
      each.server = server;
      emitTaken(each.came, server);
    }
  }

  /** One revision further: the span has gone out as it came. */
  function emitTaken(came: SpanRevision, server: Span): void {
    const fit = passingOn.fits(came.span, server);
    const linked = hang(came, server.span_id, fit, passingOn);
    emit({ ...linked, span: { ...linked.span, revision: came.span.revision + 1 } });
  }

  function remember(came: SpanRevision): void {
    const key = passingOn.childKey(came.span);
    if (key === null) return;
    hung.set(key, [...hung.get(key) ?? [], { came, server: null }].slice(-HUNG_PER_KEY_MAX));
    if (hung.size <= HUNG_MAX) return;
    for (const oldest of hung.keys()) return void hung.delete(oldest);
  }

  function isTakenAgain(came: SpanRevision): boolean {
    const key = came.span.revision === 0 ? null : passingOn.childKey(came.span);
    const known = key === null
      ? undefined
      : hung.get(key)?.find((each) => each.came.span.span_id === came.span.span_id);
    if (known === undefined || known.server === null) return false;
    known.came = came;
    emitTaken(came, known.server);
    return true;
  }

  return { takeBack, remember, isTakenAgain };
}
