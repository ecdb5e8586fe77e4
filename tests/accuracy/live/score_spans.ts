// SPDX-License-Identifier: Apache-2.0
// Compares the parents of spans with what the programs logged: every hop carries a token of its
// own, and the log says which tokens went out for the token that came in.

import { CERTAIN_FROM } from "../../../model/link.ts";
import type { SpanLine } from "../../support/spandrel.ts";

export interface Decile {
  readonly links: number;
  readonly right: number;
  /** Sum of what was claimed. */
  readonly confidence: number;
}

/** Of the calls that programs made for a request. */
export interface SpanScore {
  readonly calls: number;
  readonly right: number;
  /** Drawn to another request of the same true trace. */
  readonly wrong: number;
  /** Drawn to a request of another trace. */
  readonly merged: number;
  /** A parent was named, below the threshold. */
  readonly uncertain: number;
  /** No parent was named. */
  readonly missing: number;
  /** Of these, the call itself or its true parent was not seen. */
  readonly unseen: number;
  /** Requests read whose client was seen, and how many of them hang below it. */
  readonly hops: number;
  readonly hopsRight: number;
  readonly traces: number;
  readonly tracesRight: number;
  readonly deciles: readonly Decile[];
  /** Wrong links by evidence. */
  readonly drawnBy: Readonly<Record<string, { readonly drawn: number; readonly wrong: number }>>;
}

/** Tokens of what was sent, by the token of what was read. */
export type CallLog = ReadonlyMap<string, readonly string[]>;

export function readCallLog(text: string): CallLog {
  const log = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [token, ...sent] = line.split(" ");
    if (token !== undefined && token !== "") log.set(token, [...log.get(token) ?? [], ...sent]);
  }
  return log;
}

/** Scores what was called, directly or not, for the requests with these tokens. */
export function scoreSpans(
  spans: readonly SpanLine[],
  log: CallLog,
  rootTokens: ReadonlySet<string>,
): SpanScore {
  const known = indexSpans(spans);
  const count = {
    ...{ calls: 0, right: 0, wrong: 0, merged: 0, uncertain: 0, missing: 0, unseen: 0 },
    ...{ hops: 0, hopsRight: 0, traces: 0, tracesRight: 0 },
  };
  const deciles = Array.from({ length: 10 }, () => ({ links: 0, right: 0, confidence: 0 }));
  const drawnBy: Record<string, { drawn: number; wrong: number }> = {};
  const roots = rootsOf(log, rootTokens);

  const scoreHop = (token: string): boolean => {
    const client = known.clients.get(token);
    const server = known.servers.get(token);
    if (client === undefined || server === undefined) return true;
    count.hops++;
    const isRight = known.isBelow(server, client, token);
    if (isRight) count.hopsRight++;
    return isRight;
  };

  const scoreCall = (token: string, sent: string): boolean => {
    count.calls++;
    const call = known.clients.get(sent);
    const parent = known.servers.get(token);
    if (call === undefined || parent === undefined) count.unseen++;
    const named = call?.parent_span_id ?? null;
    if (call === undefined || named === null) {
      count.missing++;
      return false;
    }
    const isRight = named === parent?.span_id;
    const confidence = Number(call["link_confidence"]);
    const decile = deciles[Math.min(9, Math.floor(confidence * 10))];
    if (decile !== undefined) {
      decile.links++;
      decile.confidence += confidence;
      if (isRight) decile.right++;
    }
    if (confidence < CERTAIN_FROM) {
      count.uncertain++;
      return false;
    }
    const evidence = drawnBy[String(call["link_evidence"])] ??= { drawn: 0, wrong: 0 };
    evidence.drawn++;
    if (isRight) {
      count.right++;
      return true;
    }
    evidence.wrong++;
    const drawnTo = known.tokenOf.get(named);
    const isMerged = drawnTo === undefined || roots.get(drawnTo) !== roots.get(token);
    if (isMerged) count.merged++;
    else count.wrong++;
    return false;
  };

  for (const root of rootTokens) {
    count.traces++;
    let isRight = scoreHop(root);
    const tokens = [root];
    for (let token = tokens.pop(); token !== undefined; token = tokens.pop()) {
      for (const sent of log.get(token) ?? []) {
        isRight = scoreCall(token, sent) && isRight;
        isRight = scoreHop(sent) && isRight;
        tokens.push(sent);
      }
    }
    if (isRight) count.tracesRight++;
  }
  return { ...count, deciles, drawnBy };
}

/** The token that a trace began with, by every token in it; also of traces that do not count. */
function rootsOf(log: CallLog, rootTokens: ReadonlySet<string>): Map<string, string> {
  const sent = new Set([...log.values()].flat());
  const roots = new Map<string, string>();
  for (const root of [...rootTokens, ...[...log.keys()].filter((token) => !sent.has(token))]) {
    const tokens = [root];
    for (let token = tokens.pop(); token !== undefined; token = tokens.pop()) {
      roots.set(token, root);
      tokens.push(...log.get(token) ?? []);
    }
  }
  return roots;
}

/** The token in a path, a key or a literal. */
export function tokenIn(resource: string): string | undefined {
  return /(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{12})(?![0-9a-f])/.exec(resource)?.[0];
}

/**
 * Spans by the token in what they asked for. What passes a token on, as a broker does, has two
 * spans in between: the first client and the last server are meant.
 */
function indexSpans(spans: readonly SpanLine[]) {
  const clients = new Map<string, SpanLine>();
  const servers = new Map<string, SpanLine>();
  const tokenOf = new Map<string, string>();
  const parentOf = new Map<string, string | null>();
  for (const span of spans) {
    const token = tokenIn(String(span["resource"]));
    if (token === undefined) continue;
    const isCall = span["kind"] === "client" || span["kind"] === "producer";
    const known = (isCall ? clients : servers).get(token);
    const isLater = known !== undefined && startOf(span) > startOf(known);
    if (known === undefined || isLater !== isCall) (isCall ? clients : servers).set(token, span);
    tokenOf.set(span.span_id, token);
    parentOf.set(span.span_id, span.parent_span_id ?? null);
  }
  /** By way of nothing but spans of the same token. */
  const isBelow = (server: SpanLine, client: SpanLine, token: string): boolean => {
    let above = server.parent_span_id ?? null;
    while (above !== null && above !== client.span_id && tokenOf.get(above) === token) {
      above = parentOf.get(above) ?? null;
    }
    return above === client.span_id;
  };
  return { clients, servers, tokenOf, isBelow };
}

const startOf = (span: SpanLine): bigint => BigInt(String(span["start_unix_ns"] ?? 0));
