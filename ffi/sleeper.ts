// SPDX-License-Identifier: Apache-2.0
// When to look at the ring again: ticks while records come, sleeps on epoll when they do not.

import { controlAt } from "../bpf/event.gen.ts";
import { checked, type Libc } from "./libc.ts";
import type { Ring } from "./ring.ts";

const TICK_MS = 5;
const EMPTIES_BEFORE_SLEEP = 3;
/** Backstop of the handshake, and the rhythm of clock readings. */
const SLEEP_MS_MAX = 1000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLL_EVENT_BYTES = 12;
const EFD_CLOEXEC = 0o2000000;
const CLOEXEC = 0o2000000;

export interface Sleeper extends Disposable {
  /** Tells how many records the last drain found; returns the same number. */
  drained(count: number): number;
  wait(): Promise<void>;
}

/**
 * `switches` is struct control. Before it sleeps, it sets `sleeping` and looks at the ring once
 * more; the kernel reserves a record before it reads `sleeping`: one of both sees the other.
 */
export function openSleeper(
  libc: Libc,
  ringFd: number,
  ring: Ring,
  switches: Uint32Array,
): Sleeper {
  const epoll = checked(
    libc,
    libc.call.epoll_create1(CLOEXEC),
    "epoll_create1",
    "wait for records",
  );
  // Disposal wakes a sleep in progress through this descriptor.
  const alarm = checked(libc, libc.call.eventfd(0, EFD_CLOEXEC), "eventfd", "wait for records");
  const interest = new Uint8Array(EPOLL_EVENT_BYTES);
  new DataView(interest.buffer).setUint32(0, EPOLLIN, true);
  for (const fd of [ringFd, alarm]) {
    const result = libc.call.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, interest);
    checked(libc, result, "epoll_ctl", "wait for records");
  }
  const sleepingAt = controlAt.sleeping / 4;
  const events = new Uint8Array(EPOLL_EVENT_BYTES);
  let empties = 0;
  let closed = false;
  /** A sleep in progress; all who wait share it. */
  let asleep: Promise<void> | undefined;

  function closeBoth(): void {
    libc.call.close(epoll);
    libc.call.close(alarm);
  }

  async function sleep(): Promise<void> {
    const woken = await libc.call.epoll_wait(epoll, events, 1, SLEEP_MS_MAX);
    asleep = undefined;
    if (woken > 0) empties = 0;
    if (closed) closeBoth();
    else Atomics.store(switches, sleepingAt, 0);
  }

  return {
    drained(count) {
      empties = count === 0 ? empties + 1 : 0;
      return count;
    },
    wait() {
      if (asleep !== undefined) return asleep;
      if (empties < EMPTIES_BEFORE_SLEEP) {
        return new Promise<void>((resolve) => setTimeout(resolve, TICK_MS));
      }
      Atomics.store(switches, sleepingAt, 1);
      if (ring.pending()) {
        Atomics.store(switches, sleepingAt, 0);
        empties = 0;
        return Promise.resolve();
      }
      asleep = sleep();
      return asleep;
    },
    [Symbol.dispose]() {
      closed = true;
      if (asleep === undefined) closeBoth();
      else libc.call.write(alarm, new BigUint64Array([1n]), 8n);
    },
  };
}
