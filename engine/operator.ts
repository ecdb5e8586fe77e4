// SPDX-License-Identifier: Apache-2.0
// The contract of every operator: a name, and `open`, which returns the part that holds state.
//
// An operator is synchronous and pure: it does no I/O, reads no clock and returns no promise, so
// the same records give the same results at any speed. Time is event time, told by watermarks.
// Members are function properties, not methods, because only those are checked strictly: an
// operator for spans cannot be placed behind a flow of events, nor behind one of spans or events.

/** Nanoseconds: a duration, or a point of event time in whatever epoch the source uses. */
export type Nanos = bigint;

/** Before and after every event time: the watermark of nothing yet, and of an ended input. */
export const TIME_MIN: Nanos = -(1n << 63n);
export const TIME_MAX: Nanos = (1n << 63n) - 1n;

/** One input, one output and, if `Side` is given, a side output. */
export interface Operator<In, Out, Params = void, Side = never, Drop extends string = string> {
  /** A noun for a source, a verb or the standard term for a transform; snake_case. */
  readonly name: string;
  /** Names of the limits this operator keeps; the first bounds what `held` counts. */
  readonly limits: readonly string[];
  /** Called once per run. `out` may be used at once, and until `end` has returned. */
  readonly open: (params: Params, out: Outputs<Out, Side, Drop>) => Stage<In>;
}

/** Two inputs, one output. Which of two records on different inputs comes first is not promised. */
export interface JoinOperator<
  Left,
  Right,
  Out,
  Params = void,
  Side = never,
  Drop extends string = string,
> {
  readonly name: string;
  readonly limits: readonly string[];
  readonly open: (params: Params, out: Outputs<Out, Side, Drop>) => Join<Left, Right>;
}

/** Where a stage sends its results. The functions need no `this` and may be taken apart. */
export interface Outputs<Out, Side = never, Drop extends string = string> {
  /** Hands a record to everything downstream, which has dealt with it when this returns. */
  readonly emit: (record: Out) => void;
  readonly side: (record: Side) => void;
  /** Counts `n` (1 if absent) records given up for a reason. Nothing is lost without this call. */
  readonly drop: (reason: Drop, n?: number) => void;
}

/** The running part of an operator. */
export interface Stage<In> {
  /** Takes one record. If it throws, the record goes to the dead letters and the run goes on. */
  readonly push: (record: In) => void;
  /**
   * No record older than the watermark is expected on any input. Called with rising values only.
   * Whatever waits for event time (timers, windows) is due here.
   */
  readonly advance: (watermarkNs: Nanos) => void;
  /** All inputs have ended: emit what is held. Called once, and last. */
  readonly end: () => void;
  /** Records, keys or sessions held now: a cheap count, read at watermarks and by meters. */
  readonly held: () => number;
  /**
   * The watermark to tell downstream, for a stage that holds records back and emits them with
   * their old time, or that changes the epoch of time (boot time to Unix time, say). Absent: the
   * stage's own watermark. Downstream never sees it fall, whatever this returns.
   */
  readonly watermark?: (watermarkNs: Nanos) => Nanos;
}

/** The running part of a join. Its watermark is the smaller one of its two inputs. */
export interface Join<Left, Right> {
  readonly left: (record: Left) => void;
  readonly right: (record: Right) => void;
  readonly advance: (watermarkNs: Nanos) => void;
  /** Both inputs have ended. */
  readonly end: () => void;
  readonly held: () => number;
  readonly watermark?: (watermarkNs: Nanos) => Nanos;
}

/** A bound with its unit. The stage that names it enforces it and counts what it drops. */
export interface Limit {
  readonly value: number;
  /** What is counted, in the plural: "sessions", "bytes". */
  readonly unit: string;
}
