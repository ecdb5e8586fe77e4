// SPDX-License-Identifier: Apache-2.0
// Operator: joins spans that applications wrote about themselves with the spans of their sockets.
//
// An application's span and the process span below it name each other by the ids in the bytes, so
// what is a parent is known from the pair alone; the rules are those of queries. Application spans
// are all at hand from the start. Each goes out once the time of its end has passed, and again if
// its parent is seen later.

import type { Operator, Outputs, Stage } from "../engine/operator.ts";
import type { DropReason } from "../model/drops.ts";
import { LIMITS } from "../model/limits.ts";
import type { Span, SpanRevision } from "../model/span.ts";
import { MILLISECOND, type Nanos } from "../model/time.ts";
import { hang, ruleNamed } from "./applications/hang.ts";
import { passedOn } from "./applications/passed_on.ts";

export interface AppJoinParams {
  readonly spans: readonly Span[];
  /** What the file had beside them, to be counted. */
  readonly malformed: number;
  readonly overLimit: number;
}

export const appJoin: Operator<SpanRevision, SpanRevision, AppJoinParams, never, DropReason> = {
  name: "app_join",
  limits: ["applicationSpans", "hopWindowMs"],
  open: openAppJoin,
};

const clientFromApp = ruleNamed("client_from_app");
const appFromServer = ruleNamed("app_from_server");
const serverFromApp = ruleNamed("server_from_remote_app");

/** Spans of processes come within this after their end. */
const windowNs: Nanos = BigInt(LIMITS.hopWindowMs.value) * MILLISECOND;

/** An application span, whether it has gone out, and the server's span it hangs below. */
interface App {
  revision: SpanRevision;
  isOut: boolean;
  server: Span | null;
  fit: number;
}

function openAppJoin(
  { spans, malformed, overLimit }: AppJoinParams,
  out: Outputs<SpanRevision, never, DropReason>,
): Stage<SpanRevision> {
  const apps: App[] = spans.map((span) => ({
    revision: asCame(span),
    isOut: false,
    server: null,
    fit: 0,
  }));
  apps.sort((a, b) => Number(a.revision.span.end_unix_ns - b.revision.span.end_unix_ns));
  const byId = new Map<unknown, App>();
  const byParent = new Map<unknown, App[]>();
  for (const app of apps) {
    byId.set(app.revision.span.span_id, app);
    const key = appFromServer.childKey(app.revision.span);
    if (key === null) continue;
    const siblings = byParent.get(key);
    if (siblings === undefined) byParent.set(key, [app]);
    else siblings.push(app);
  }
  const passed = passedOn(out.emit);
  let next = 0;
  let newestNs: Nanos = 0n;
  let isCounted = false;

  function send(untilNs: Nanos | null): void {
    if (!isCounted) {
      isCounted = true;
      if (malformed > 0) out.drop("span_malformed", malformed);
      if (overLimit > 0) out.drop("span_limit", overLimit);
    }
    for (; next < apps.length; next++) {
      const app = apps[next];
      if (app === undefined) break;
      if (untilNs !== null && app.revision.span.end_unix_ns > untilNs) break;
      app.isOut = true;
      out.emit(app.revision);
    }
  }

  /** Hangs applications' spans below the server's span that read what they answer. */
  function adopt(server: Span): void {
    const key = appFromServer.parentKey(server);
    for (const app of key === null ? [] : byParent.get(key) ?? []) {
      const { span } = app.revision;
      const fit = appFromServer.fits(span, server);
      if (app.server?.span_id === server.span_id || !isNearer(server, fit, app)) continue;
      app.server = server;
      app.fit = fit;
      const linked = hang(app.revision, server.span_id, fit, appFromServer);
      const revision = span.revision + (app.isOut ? 1 : 0);
      app.revision = { ...linked, span: { ...linked.span, revision } };
      if (app.isOut) out.emit(app.revision);
    }
  }

  return {
    push(revision) {
      const { span } = revision;
      if (span.end_unix_ns > newestNs) newestNs = span.end_unix_ns;
      adopt(span);
      passed.takeBack(span);
      if (passed.isTakenAgain(revision)) return send(newestNs - windowNs);
      const placed = below(revision, byId);
      if (placed !== revision) passed.remember(revision);
      out.emit(placed);
      send(newestNs - windowNs);
    },
    advance() {},
    end: () => send(null),
    held: () => apps.length - next,
  };
}

/** It fits better, or as well and started later: further on the way of the request. */
function isNearer(server: Span, fit: number, app: App): boolean {
  if (fit === 0 || app.server === null) return fit > 0;
  return fit > app.fit || (fit === app.fit && server.start_unix_ns > app.server.start_unix_ns);
}

/** The revision, below the application's span that the bytes name, if there is one. */
function below(revision: SpanRevision, byId: ReadonlyMap<unknown, App>): SpanRevision {
  const { span } = revision;
  if (span.parent_id_header === null) return revision;
  for (const rule of [clientFromApp, serverFromApp]) {
    // A hop, or what a server was linked to otherwise, is nearer than a span of another program.
    if (rule === serverFromApp && span.parent_span_id !== null) continue;
    const key = rule.childKey(span);
    const app = key === null ? undefined : byId.get(key);
    if (app === undefined) continue;
    const confidence = rule.fits(span, app.revision.span);
    if (confidence > 0) return hang(revision, app.revision.span.span_id, confidence, rule);
  }
  return revision;
}

function asCame(span: Span): SpanRevision {
  if (span.parent_span_id === null) return { span, candidates: [] };
  const rule = ruleNamed("app_from_app");
  return hang({ span, candidates: [] }, span.parent_span_id, 1, rule);
}
