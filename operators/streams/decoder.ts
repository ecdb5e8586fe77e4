// SPDX-License-Identifier: Apache-2.0
// Reads the lanes of claimed connections, message by message.
//
// Messages that lie within one run are read straight from the borrowed payload; only what is
// incomplete is copied and held. A place that is lost (a gap, clipped or malformed bytes) is found
// again where the direction of the connection changes, because a message begins there.

import type { Outputs } from "../../engine/operator.ts";
import type { ByteRun } from "../../model/byte_run.ts";
import type { Direction } from "../../model/capture_record.ts";
import type { Connection } from "../../model/connection.ts";
import type { DropReason } from "../../model/drops.ts";
import { LIMITS } from "../../model/limits.ts";
import type { DecodeEvent, StreamEnd } from "../../model/message.ts";
import type { Nanos } from "../../model/time.ts";
import { Cursor } from "../wire/cursor.ts";
import { createMake } from "../wire/make.ts";
import type { MessageStep, Step } from "../wire/protocol.ts";
import { type Claim, opposite } from "./claim.ts";
import type { Lane } from "./lane.ts";
import { addsUp, mayBegin } from "./may_begin.ts";
import { openEnds } from "./open_ends.ts";
import { messageEnd, messageSeen } from "./placed.ts";
import { READ_CLIPPED, READ_FAILED, READ_MALFORMED, readerError, readStep } from "./read_step.ts";
import { type Unfinished, unfinished } from "./unfinished.ts";

export class Decoder {
  readonly #out: Outputs<DecodeEvent, never, DropReason>;
  readonly #cursor = new Cursor();
  readonly #make = createMake();
  readonly #unfinished: Unfinished;
  readonly #openEnds = openEnds((lane, connection, direction) => {
    this.#out.emit(messageEnd(connection, direction, lane));
    lane.finish();
  });

  constructor(out: Outputs<DecodeEvent, never, DropReason>) {
    this.#out = out;
    this.#unfinished = unfinished(out, this.#cursor, this.#make);
  }

  get waiting(): number {
    return this.#unfinished.size;
  }

  advance(watermarkNs: Nanos): void {
    this.#openEnds.advance(watermarkNs);
  }

  run(run: ByteRun, claim: Claim): void {
    const direction = run.event.direction;
    const lane = direction === "ingress" ? claim.ingress : claim.egress;
    const turned = claim.last !== direction;
    if (turned) this.#turn(run.connection, claim, direction, lane);
    if (run.gap > 0) this.#gap(run, claim, lane, turned);
    if (lane.lost && !this.#found(run, claim, lane)) {
      lane.bytes += run.length;
      lane.unreadNs = run.emitNs;
    } else this.#read(run, claim, lane);
    lane.note(run);
  }

  /** The direction changed: in the other one, a message that was lost sight of is over. */
  #turn(connection: Connection, claim: Claim, direction: Direction, lane: Lane): void {
    claim.last = direction;
    if (lane.lost) lane.turns++;
    const other = direction === "ingress" ? claim.egress : claim.ingress;
    if (!other.lost || !other.more) return;
    this.#out.emit(messageEnd(connection, opposite(direction), other));
    other.finish();
  }

  #gap(run: ByteRun, claim: Claim, lane: Lane, turned: boolean): void {
    if (!lane.lost && lane.skip >= run.gap) {
      lane.skip -= run.gap;
      lane.bytes += run.gap;
      return;
    }
    if (lane.lost) lane.unreadNs = run.emitNs;
    else {
      this.#unfinished.read(run.connection, claim, run.event.direction);
      this.#lose(run, claim, lane);
    }
    if (turned) lane.turns++;
    if (lane.more) lane.bytes += run.gap;
  }

  /** Whether a message begins with this run of a lane that was lost. */
  #found(run: ByteRun, claim: Claim, lane: Lane): boolean {
    const way = claim.way(run.connection, run.event.direction);
    // Right behind a gap a message may begin as well, where it matters little if none does.
    const begins = lane.turns >= LOST_TURNS_MAX ||
      (lane.turns > 0 && mayBegin(run, claim.protocol, way, lane.doubtful)) ||
      (run.gap > 0 && claim.protocol.pairing === "id" && addsUp(run, claim.protocol, way));
    if (!begins) return false;
    if (lane.more) this.#out.emit(messageEnd(run.connection, run.event.direction, lane));
    lane.finish();
    lane.lost = false;
    // What passed since the loss was told went unread as well.
    if (lane.unreadNs > 0n) this.#tell("unread", run, lane.unreadNs);
    return true;
  }

  #read(run: ByteRun, claim: Claim, lane: Lane): void {
    const before = lane.passed;
    if (before > 0) {
      if (!lane.append(run)) return this.#fail(run, claim, lane, "decode_full");
      if (lane.passed < lane.need) return;
    }
    this.#steps(run, claim, lane, before);
    if (before > 0) this.#unfinished.settle(claim);
    if (claim.over === "refuted") {
      const { connection, emitNs } = run;
      const direction = "both" as const;
      this.#out.emit({ kind: "stream_end", connection, direction, emitNs, reason: "lost" });
    }
  }

  /** Reads on from the pending bytes, of which `before` stand in front of the run, or from it. */
  #steps(run: ByteRun, claim: Claim, lane: Lane, before: number): void {
    const cursor = this.#cursor, length = run.length;
    // Counted from the first byte of the run: pending bytes have negative positions.
    // Not -before: that is -0 where nothing is pending, and no integer to the compiler.
    let position = 0 - before;
    let idle = 0;
    while (position < length || lane.more) {
      if (lane.skip > 0) {
        const n = Math.min(lane.skip, length - position);
        lane.skip -= n;
        lane.bytes += n;
        position += n;
        if (lane.skip > 0) break;
        if (position >= length && !lane.more) break;
      }
      if (position < 0) cursor.reset(lane.buffer, before + position, lane.held, lane.passed);
      else cursor.reset(run.bytes, position, run.bytes.length, length);
      const way = claim.way(run.connection, run.event.direction);
      const step = readStep(claim.protocol, cursor, way, this.#make, claim.state);
      if (typeof step === "number") {
        if (step > 0) this.#wait(run, claim, lane, before, position, step);
        else this.#failed(run, claim, lane, step);
        return;
      }
      const n = cursor.position;
      if (n > 0 || step.kind === "skip") idle = step.kind === "skip" && n === 0 ? idle + 1 : 0;
      else idle++;
      if (idle > IDLE_STEPS_MAX) return this.#fail(run, claim, lane, "malformed");
      if (step.kind === "message") this.#message(run, claim, lane, step, position, n);
      else if (!this.#step(run, claim, lane, step, position, n)) return;
      position += n;
    }
    if (before > 0) lane.clearPending();
  }

  #message(
    run: ByteRun,
    claim: Claim,
    lane: Lane,
    { message, whole }: MessageStep,
    position: number,
    n: number,
  ): void {
    if (whole === true || message.clipped) claim.want("all", run.event.connection);
    if (lane.more) {
      this.#out.emit(messageEnd(run.connection, run.event.direction, lane));
      lane.finish();
    }
    const bytes = lane.bytes + n;
    const seen = messageSeen(run, lane, claim.protocol.name, message, position, bytes);
    claim.messages++;
    claim.malformed = 0;
    if (message.kind === "request") claim.asked = true;
    if (message.kind !== "oneway") this.#learn(run, claim, message.kind);
    lane.begun = false;
    lane.more = message.more && claim.protocol.multiplexed !== true;
    lane.bytes = lane.more ? bytes : 0;
    this.#out.emit(seen);
  }

  /** What a message tells of its connection: the direction of requests, and pipelining. */
  #learn(run: ByteRun, claim: Claim, kind: "request" | "response"): void {
    if (claim.requests === null) {
      const inward = run.event.direction === "ingress";
      claim.requests = (kind === "request") === inward ? "ingress" : "egress";
    }
    if (kind === "response") {
      // It answers a request of which the rest was not seen.
      if (claim.owed === 0 && claim.protocol.multiplexed !== true) {
        this.#unfinished.read(run.connection, claim, opposite(run.event.direction));
      }
      claim.noteResponse();
    } else if (claim.noteRequest() && claim.protocol.pairing === "order") {
      claim.want("all", run.event.connection);
    }
  }

  /** Every other step; false when reading the run is over. */
  #step(
    run: ByteRun,
    claim: Claim,
    lane: Lane,
    step: Exclude<Step, { kind: "message" }>,
    position: number,
    n: number,
  ): boolean {
    const multiplexed = claim.protocol.multiplexed === true;
    if (!multiplexed) {
      if (step.kind !== "end") lane.begin(run, position);
      lane.bytes += n;
    } else lane.finish();
    switch (step.kind) {
      case "nothing":
        return true;
      case "skip":
        lane.skip = step.bytes;
        return true;
      case "end":
        lane.note(run);
        if (lane.more || multiplexed) {
          this.#out.emit(messageEnd(run.connection, run.event.direction, lane, step));
        }
        lane.finish();
        return true;
      case "lost":
        lane.bytes += run.length - position - n;
        lane.lose(false);
        this.#openEnded(run, claim, lane);
        return false;
      case "switch":
        return this.#switch(run, claim, lane, step.to, position + n);
    }
  }

  #switch(run: ByteRun, claim: Claim, lane: Lane, to: string, position: number): boolean {
    for (const each of [claim.ingress, claim.egress]) each.finish();
    claim.owner.switchTo(claim, to, run.connection);
    if (claim.over === "no") return true;
    lane.clearPending();
    if (to === "" && position < run.length) {
      claim.owner.giveBack({
        ...run,
        gap: 0,
        offset: run.offset + position,
        length: run.length - position,
        bytes: run.bytes.subarray(Math.min(Math.max(0, position), run.bytes.length)),
      });
    }
    return false;
  }

  /** Holds what is incomplete until `need` bytes from `position` on have passed. */
  #wait(
    run: ByteRun,
    claim: Claim,
    lane: Lane,
    before: number,
    position: number,
    need: number,
  ): void {
    if (position < run.length) lane.begin(run, position);
    if (position < 0) lane.consume(before + position);
    else {
      if (before > 0) lane.clearPending();
      if (position === run.length) return;
      if (!lane.append(run, position)) return this.#fail(run, claim, lane, "decode_full");
    }
    lane.need = need;
    this.#unfinished.add(claim, run.connection);
    const whole = lane.held === lane.passed;
    if (whole && need > LIMITS.decodeBytes.value) this.#fail(run, claim, lane, "decode_full");
  }

  #failed(run: ByteRun, claim: Claim, lane: Lane, code: number): void {
    if (code === READ_CLIPPED) claim.missed(run);
    this.#fail(run, claim, lane, code === READ_CLIPPED ? "clipped" : "malformed");
    if (code === READ_FAILED) throw readerError();
  }

  #fail(run: ByteRun, claim: Claim, lane: Lane, reason: Failure): void {
    this.#out.drop(reason);
    this.#lose(run, claim, lane);
    if (reason === "malformed") claim.doubt(claim.way(run.connection, run.event.direction));
  }

  /** The place in this lane is lost: those behind are told, the protocol too. */
  #lose(run: ByteRun, claim: Claim, lane: Lane): void {
    lane.lose(true);
    this.#openEnded(run, claim, lane);
    claim.protocol.lost?.(claim.state, claim.way(run.connection, run.event.direction));
    this.#tell("lost", run, run.emitNs);
  }

  #tell(reason: "lost" | "unread", { connection, event }: ByteRun, emitNs: Nanos): void {
    const { direction } = event;
    this.#out.emit({ kind: "stream_end", connection, direction, emitNs, reason });
  }

  /** The end of a response that is lost sight of may be told by silence. */
  #openEnded(run: ByteRun, claim: Claim, lane: Lane): void {
    const { connection, event } = run;
    if (!lane.more || claim.way(connection, event.direction) === "toServer") return;
    this.#openEnds.add(lane, connection, event.direction);
  }

  /** A datagram is read by itself: nothing goes on in the next one. */
  datagram(run: ByteRun, claim: Claim): void {
    const cursor = this.#cursor;
    const lane = run.event.direction === "ingress" ? claim.ingress : claim.egress;
    const way = claim.way(run.connection, run.event.direction);
    let position = 0;
    while (position < run.length) {
      cursor.reset(run.bytes, position, run.bytes.length, run.length);
      const step = readStep(claim.protocol, cursor, way, this.#make, claim.state);
      if (typeof step === "number") {
        this.#datagramFailed(run, claim, step);
        return;
      }
      const n = cursor.position;
      if (step.kind === "message") this.#message(run, claim, lane, step, position, n);
      lane.finish();
      if (n === 0 || step.kind === "lost") return;
      position += n;
    }
  }

  #datagramFailed(run: ByteRun, claim: Claim, code: number): void {
    const cut = run.bytes.length < run.length && code !== READ_MALFORMED;
    this.#out.drop(cut ? "clipped" : "malformed");
    if (!cut) claim.doubt(claim.way(run.connection, run.event.direction));
    if (code === READ_FAILED) throw readerError();
  }

  end(record: StreamEnd, claim: Claim): void {
    const { direction } = record;
    for (const each of claim.inOrder(record.connection)) {
      if (direction === "both" || direction === each) this.#endLane(record, claim, each);
    }
    this.#unfinished.settle(claim);
    this.#out.emit(record);
  }

  /** No bytes will come any more, on any connection. */
  finish(): void {
    this.#unfinished.finish();
  }

  #endLane(record: StreamEnd, claim: Claim, direction: Direction): void {
    const { connection, reason } = record;
    const lane = direction === "ingress" ? claim.ingress : claim.egress;
    const orderly = reason === "eof" || reason === "close";
    if (lane.more && orderly && (lane.skip === Infinity || lane.lost)) {
      this.#out.emit(messageEnd(connection, direction, lane));
    } else if (!lane.more) this.#unfinished.read(connection, claim, direction);
    else if (lane.more) this.#out.drop("incomplete");
    lane.finish();
    lane.clearPending();
  }
}

/** Steps in a row that consume nothing: a reader that makes more of them runs in a circle. */
const IDLE_STEPS_MAX = 1_024;
/** Bursts after which a lost place is taken for found, whatever the probe says. */
const LOST_TURNS_MAX = 3;

/** Why a place in the stream is lost, other than by a gap. */
type Failure = "clipped" | "malformed" | "decode_full";
