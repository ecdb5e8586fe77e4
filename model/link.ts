// SPDX-License-Identifier: Apache-2.0
// A link says whose child a span is, on which evidence, and how sure that is.

/** What speaks for a parent. The order is the order of trust where nothing else is known. */
export const EVIDENCE = {
  hop: "same flow and TCP sequence number: the two ends of one exchange",
  identity: "ids carried in the bytes: traceparent, b3, X-Request-ID, SQL comments",
  message: "the same message of a broker, by its id or its content",
  thread: "same thread or coroutine, no other request read on it in between",
  turn: "event-loop turn discipline proven for this process",
  task_end: "the thread that wrote the response worked for that request",
  handoff: "order of hand-off from reader to worker pool",
  wakeup: "which thread woke which",
  nesting: "lies inside the parent in time",
  shape: "what this endpoint is known to call",
  token: "rare value that occurs in both",
} as const;

export type Evidence = keyof typeof EVIDENCE;

/** One possible parent of a span. Rank 0 is the winner. */
export interface Candidate {
  readonly span_id: bigint;
  readonly parent_id: bigint;
  readonly evidence: Evidence;
  /** Probability that this is the parent, 0 to 1. */
  readonly score: number;
  readonly rank: number;
  /** Rules that speak for it, how far each was trusted, and what speaks against: links/votes.ts. */
  readonly votes: string;
  /** Of so many requests open at the time it is one; 1 where nothing else was possible. */
  readonly among: number;
}

/** Links below this confidence are shown as uncertain, never drawn as fact. */
export const CERTAIN_FROM = 0.95;

/** Candidates kept per span. */
export const CANDIDATES_MAX = 5;
