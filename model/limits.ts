// SPDX-License-Identifier: Apache-2.0
// Every limit of the program in one place: its value, its unit, and what happens at it.

export interface Limit {
  readonly value: number;
  readonly unit: "records" | "bytes" | "connections" | "spans" | "keys" | "ms" | "rounds";
  readonly doc: string;
}

const limit = (value: number, unit: Limit["unit"], doc: string): Limit => ({ value, unit, doc });

export const LIMITS = {
  connections: limit(65_536, "connections", "sockets with state; the idlest is dropped beyond"),
  programs: limit(32_768, "keys", "programs remembered; the longest gone is dropped beyond"),
  packetFragments: limit(256, "records", "packets that wait for fragments; the oldest is given up"),
  recordingQueue: limit(
    67_108_864,
    "bytes",
    "of a recording that wait for the disk; then it lacks",
  ),
  reorderBytes: limit(262_144, "bytes", "held per direction while an earlier segment is missing"),
  decodeBytes: limit(1_048_576, "bytes", "held per direction while a message is incomplete"),
  probeBytes: limit(8_192, "bytes", "seen of a connection before it stays unknown"),
  openExchanges: limit(1_024, "records", "requests awaiting their response per connection"),
  openPerProgram: limit(4_096, "records", "open exchanges per program considered by link"),
  linkPending: limit(2_048, "records", "calls per program that wait for evidence"),
  linkThreads: limit(1_024, "keys", "threads and coroutines remembered per program"),
  linkCoroutines: limit(4_096, "keys", "coroutines per program whose origin is remembered"),
  linkAfterMs: limit(60_000, "ms", "a request that was answered may still be worked on"),
  linkMessages: limit(16_384, "keys", "messages that a broker was handed, told apart by content"),
  linkDeliveries: limit(2_048, "records", "messages per program that something is done for"),
  linkKinds: limit(4_096, "keys", "kinds of requests told apart per program; the rest are one"),
  linkWindowMs: limit(10_000, "ms", "an ended call waits for evidence, then the best guess stands"),
  linkHoldMs: limit(100, "ms", "a span waits for its link, then it goes out without"),
  selfCheckPerMinute: limit(20_000, "records", "per program linked again without ids, to compare"),
  hopSpans: limit(32_768, "spans", "that wait for the other ends of their hop; then queries join"),
  hopWindowMs: limit(5_000, "ms", "spans of one hop find each other when they end this close"),
  applicationSpans: limit(200_000, "spans", "taken from a file of spans; the rest is left out"),
  spansFileBytes: limit(268_435_456, "bytes", "of a file of spans; a larger one is refused"),
  assemblyRounds: limit(30, "rounds", "of the search for one trace; then it is truncated"),
  assemblySpans: limit(20_000, "spans", "of one trace; then it is truncated"),
  textBytes: limit(4_096, "bytes", "kept of any one text field of a message"),
  deadLetters: limit(1_024, "records", "failed records kept for inspection"),
  storeQueue: limit(65_536, "spans", "spans waiting for the store"),
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
