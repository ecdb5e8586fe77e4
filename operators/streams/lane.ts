// SPDX-License-Identifier: Apache-2.0
// One direction of a connection being decoded: where the message in progress began, what of it is
// held, and what is to be passed over.

import { LIMITS } from "../../model/limits.ts";
import type { ByteRun } from "../../model/byte_run.ts";
import { NO_PROGRAM, type Program } from "../../model/process.ts";
import type { Nanos } from "../../model/time.ts";

export class Lane {
  /** First byte of the message in progress, valid while `begun`. */
  begun = false;
  program: Program = NO_PROGRAM;
  tid = 0;
  coroutine = 0n;
  turn = 0;
  startNs: Nanos = 0n;
  offset = 0;
  seq = -1;

  /** Bytes that count to the message in progress, those of `pending` not among them. */
  bytes = 0;
  /** The head of the message in progress was emitted; its end is to come. */
  more = false;
  /** Bytes still to be passed over unread; Infinity: up to the end of the stream. */
  skip = 0;

  /** The place in the stream is lost: bytes are passed over until the direction changes. */
  lost = false;
  /** Lost against the reader's will: found again only where the bytes look like a message. */
  doubtful = false;
  /** When bytes were last passed over since then, 0 when none were. */
  unreadNs: Nanos = 0n;
  /** Bursts of this direction that began since then. */
  turns = 0;

  /** Call that moved the last byte. */
  lastNs: Nanos = 0n;
  lastTid = 0;
  lastTurn = 0;

  /** Pending bytes: the first `held` of `passed` are in `buffer`, the others were not captured. */
  buffer: Uint8Array = EMPTY;
  held = 0;
  passed = 0;
  /** Reading again makes sense when so many have passed. */
  need = 0;

  /** Remembers the byte at `position` of `run` as the first one of a message, unless one began. */
  begin(run: ByteRun, position: number): void {
    if (this.begun || this.more) return;
    const event = run.event;
    this.begun = true;
    this.program = event.program;
    this.tid = event.tid;
    this.coroutine = event.coroutine;
    this.turn = event.turn;
    this.startNs = event.startNs;
    this.offset = run.offset + position;
    this.seq = seqAt(run, position);
  }

  /** Keeps what `run` has from `position` on; false when that is over the limit. */
  append(run: ByteRun, position = 0): boolean {
    const whole = this.held === this.passed;
    this.passed += run.length - position;
    if (!whole || position >= run.bytes.length) return true;
    const more = run.bytes.length - position;
    if (this.held + more > heldMax) return false;
    if (this.held + more > this.buffer.length) {
      const larger = new Uint8Array(Math.max(512, 2 * (this.held + more)));
      larger.set(this.buffer.subarray(0, this.held));
      this.buffer = larger;
    }
    this.buffer.set(position === 0 ? run.bytes : run.bytes.subarray(position), this.held);
    this.held += more;
    return true;
  }

  /** Gives up the first `n` pending bytes. */
  consume(n: number): void {
    if (n === 0) return;
    this.buffer.copyWithin(0, n, this.held);
    this.held = Math.max(0, this.held - n);
    this.passed -= n;
  }

  clearPending(): void {
    this.held = 0;
    this.passed = 0;
    this.need = 0;
    if (this.buffer.length > bufferKeptBytes) this.buffer = EMPTY;
  }

  /** From here on bytes are passed over, see `lost`. */
  lose(doubtful: boolean): void {
    this.clearPending();
    this.lost = true;
    this.doubtful = doubtful;
    this.unreadNs = 0n;
    this.turns = 0;
    this.skip = 0;
    if (!this.more) this.finish();
  }

  /** The message in progress is over. */
  finish(): void {
    this.begun = false;
    this.more = false;
    this.bytes = 0;
    this.skip = 0;
  }

  note(run: ByteRun): void {
    this.lastNs = run.emitNs;
    this.lastTid = run.event.tid;
    this.lastTurn = run.event.turn;
  }
}

/** TCP sequence number of the byte at `position` of the run, -1 when not known. */
export function seqAt(run: ByteRun, position: number): number {
  const seq = run.event.seq;
  if (seq < 0) return -1;
  return (seq + (run.offset - run.event.streamOffset) + position) >>> 0;
}

const EMPTY = new Uint8Array(0);
const heldMax = LIMITS.decodeBytes.value;
const bufferKeptBytes = 4_096;
